import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App, warmUp } from './app.tsx'
import { theme, variables } from './theme.ts'
import './mantine.css'
import './styles.css'

const nonce = document.querySelector<HTMLMetaElement>('meta[name="style-nonce"]')!.content
const schemes = localStorageColorSchemeManager({ key: 'tailwater-color-scheme' })

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      cssVariablesResolver={variables}
      defaultColorScheme="auto"
      colorSchemeManager={schemes}
      getStyleNonce={() => nonce}
    >
      <App />
    </MantineProvider>
  </StrictMode>,
)
warmUp()
