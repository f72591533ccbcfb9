import { Alert, Button, PasswordInput, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { ApiError, api, type Me } from '../api.ts'
import { Card } from './card.tsx'

/** Asks who you are. The password goes on to the next page, which may have to change it. */
export function LoginPage({
  notice,
  onLogin,
}: {
  notice: string | undefined
  onLogin: (me: Me, password: string) => void
}) {
  const [busy, setBusy] = useState(false)
  const [trouble, setTrouble] = useState<string>()

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const password = String(form.get('password'))
    setBusy(true)
    setTrouble(undefined)
    try {
      onLogin(await api.login(String(form.get('email')), password), password)
    } catch (error) {
      setTrouble(describe(error))
      setBusy(false)
    }
  }

  return (
    <Card title="Log in" lead="Live numbers of what happens downstream of every request.">
      <form onSubmit={submit} className="form">
        {(trouble ?? notice) && (
          <Alert color={trouble ? 'red' : 'tide'} variant="light" role="alert">
            {trouble ?? notice}
          </Alert>
        )}
        <TextInput
          name="email"
          type="email"
          label="E-mail"
          autoComplete="username"
          required
          withAsterisk={false}
          autoFocus
        />
        <PasswordInput
          name="password"
          label="Password"
          autoComplete="current-password"
          required
          withAsterisk={false}
          visibilityToggleButtonProps={{ 'aria-label': 'Show the password' }}
        />
        <Button type="submit" loading={busy} fullWidth>
          Log in
        </Button>
      </form>
    </Card>
  )
}

function describe(error: unknown): string {
  if (!(error instanceof ApiError)) return 'Something went wrong. Try again.'
  if (error.status === 429) return `Too many attempts. Try again in ${error.retryAfter ?? 60} seconds.`
  return error.message
}
