import { Alert, Button, PasswordInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { ApiError, api } from '../api.ts'
import { Card } from './card.tsx'

/** What the page must know. */
export interface PasswordPageProps {
  email: string
  /** The password just used to log in, so that it need not be typed again. */
  known: string | undefined
  /** True when it is the one-time one: there is no way round. */
  forced: boolean
  onDone: () => void
  onCancel: () => void
}

const MIN_LENGTH = 12

/** Replaces the password. */
export function PasswordPage({ email, known, forced, onDone, onCancel }: PasswordPageProps) {
  const [busy, setBusy] = useState(false)
  const [trouble, setTrouble] = useState<string>()

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const next = String(form.get('next'))
    if (next !== String(form.get('again'))) return setTrouble('The two new passwords are not the same.')
    setBusy(true)
    setTrouble(undefined)
    try {
      await api.changePassword(known ?? String(form.get('current')), next)
      onDone()
    } catch (error) {
      setTrouble(error instanceof ApiError ? error.message : 'Something went wrong. Try again.')
      setBusy(false)
    }
  }

  const show = { 'aria-label': 'Show the password' }
  const lead = forced
    ? 'The one-time password has served its purpose. Choose your own to go on.'
    : 'Other browsers are logged out and tokens revoked.'
  return (
    <Card title={forced ? 'Choose a password' : 'Change password'} lead={lead}>
      <form onSubmit={submit} className="form">
        {trouble && (
          <Alert color="red" variant="light" role="alert">
            {trouble}
          </Alert>
        )}
        <input type="hidden" name="username" autoComplete="username" value={email} readOnly />
        {known === undefined && (
          <PasswordInput
            name="current"
            label="Current password"
            autoComplete="current-password"
            required
            withAsterisk={false}
            visibilityToggleButtonProps={show}
            autoFocus
          />
        )}
        <PasswordInput
          name="next"
          label="New password"
          description={`At least ${MIN_LENGTH} characters; a few words are easiest to remember.`}
          autoComplete="new-password"
          minLength={MIN_LENGTH}
          required
          withAsterisk={false}
          visibilityToggleButtonProps={show}
          autoFocus={known !== undefined}
        />
        <PasswordInput
          name="again"
          label="New password again"
          autoComplete="new-password"
          required
          withAsterisk={false}
          visibilityToggleButtonProps={show}
        />
        <Button type="submit" loading={busy} fullWidth>
          Save and go on
        </Button>
        {!forced && (
          <Button variant="subtle" color="gray" onClick={onCancel} fullWidth>
            Cancel
          </Button>
        )}
      </form>
    </Card>
  )
}
