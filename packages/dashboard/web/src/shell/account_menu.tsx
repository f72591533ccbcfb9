import { ActionIcon, Menu } from '@mantine/core'
import { api, type Me } from '../api.ts'
import { PersonIcon } from './icons.tsx'

/** Who is logged in, and what they can do about it. */
export function AccountMenu({
  me,
  onLeave,
  onChangePassword,
}: {
  me: Me
  onLeave: () => void
  onChangePassword: () => void
}) {
  // Logged out or not, the page forgets; a session that could not be ended ends by itself.
  const leave = () => api.logout().then(onLeave, onLeave)
  return (
    <Menu position="bottom-end" withinPortal={false} transitionProps={{ duration: 0 }}>
      <Menu.Target>
        <ActionIcon
          variant="subtle"
          color="gray"
          size="lg"
          aria-label={`Account of ${me.user.email}`}
          title={me.user.email}
        >
          <PersonIcon />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {me.user.email}
          <br />
          {me.user.role}
        </Menu.Label>
        {me.csrf && <Menu.Item onClick={onChangePassword}>Change password</Menu.Item>}
        <Menu.Item component="a" href="./api/reference">
          API reference
        </Menu.Item>
        {me.csrf && <Menu.Item onClick={leave}>Log out</Menu.Item>}
      </Menu.Dropdown>
    </Menu>
  )
}
