import { ActionIcon, UnstyledButton } from '@mantine/core'
import { useClickOutside } from '@mantine/hooks'
import { useRef, useState } from 'react'
import { api, type Me } from '../api.ts'
import { PersonIcon } from './icons.tsx'

/** Who is logged in, and what they can do about it: a button that shows a short list. */
export function AccountMenu({
  me,
  onLeave,
  onChangePassword,
}: {
  me: Me
  onLeave: () => void
  onChangePassword: () => void
}) {
  const [open, setOpen] = useState(false)
  const button = useRef<HTMLButtonElement>(null)
  const place = useClickOutside(() => setOpen(false))
  // Logged out or not, the page forgets; a session that could not be ended ends by itself.
  const leave = () => api.logout().then(onLeave, onLeave)
  const onEscape = (event: React.KeyboardEvent) => {
    if (event.key !== 'Escape') return
    setOpen(false)
    button.current?.focus()
  }
  const onBlur = ({ currentTarget, relatedTarget }: React.FocusEvent) => {
    if (relatedTarget && !currentTarget.contains(relatedTarget)) setOpen(false)
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: only closes the list that the button inside opened
    <div className="account" ref={place} onKeyDown={onEscape} onBlur={onBlur}>
      <ActionIcon
        ref={button}
        variant="subtle"
        color="gray"
        size="lg"
        aria-expanded={open}
        aria-controls="account-list"
        aria-label={`Account of ${me.user.email}`}
        title={me.user.email}
        onClick={() => setOpen(!open)}
      >
        <PersonIcon />
      </ActionIcon>
      <div id="account-list" className="panel account-list" hidden={!open}>
        <p>
          <b>{me.user.email}</b>
          <span>{me.user.role}</span>
        </p>
        <ul>
          {me.csrf && (
            <li>
              <UnstyledButton onClick={onChangePassword}>Change password</UnstyledButton>
            </li>
          )}
          <li>
            <a href="./reference">API reference</a>
          </li>
          {me.csrf && (
            <li>
              <UnstyledButton onClick={leave}>Log out</UnstyledButton>
            </li>
          )}
        </ul>
      </div>
    </div>
  )
}
