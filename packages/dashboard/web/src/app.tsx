import { Button, Loader } from '@mantine/core'
import { lazy, Suspense } from 'react'
import { Card } from './account/card.tsx'
import { LoginPage } from './account/login_page.tsx'
import { PasswordPage } from './account/password_page.tsx'
import { useAccount } from './account/use_account.ts'

// The charts are loaded while the log-in is being typed, and not before it is shown.
const loadOverview = () => import('./overview/overview_page.tsx')
const OverviewPage = lazy(loadOverview)

/** Chooses the page that fits who is looking. */
export function App() {
  const { account, ask, enter, changePassword, leave } = useAccount()
  switch (account.mode) {
    case 'asking':
      return <Waiting />
    case 'outside':
      return <LoginPage notice={account.notice} onLogin={enter} />
    case 'changing':
      return (
        <PasswordPage
          email={account.me.user.email}
          known={account.known}
          forced={account.me.user.mustChangePassword}
          onDone={ask}
          onCancel={ask}
        />
      )
    case 'forbidden':
      return (
        <Card title="Not for you" lead={account.reason}>
          <Button onClick={() => leave()}>Log in as somebody else</Button>
        </Card>
      )
    case 'trouble':
      return (
        <Card title="No connection" lead={account.reason}>
          <Button onClick={ask}>Try again</Button>
        </Card>
      )
    case 'inside':
      return (
        <Suspense fallback={<Waiting />}>
          <OverviewPage me={account.me} onLeave={leave} onChangePassword={changePassword} />
        </Suspense>
      )
  }
}

function Waiting() {
  return (
    <main className="waiting" aria-busy="true">
      <Loader size="sm" aria-label="Loading" />
    </main>
  )
}

/** Fetches the charts' code when there is nothing better to do. */
export function warmUp(): void {
  // What fails here is fetched again, and reported, when it is needed.
  setTimeout(() => loadOverview().catch(() => undefined), 50)
}
