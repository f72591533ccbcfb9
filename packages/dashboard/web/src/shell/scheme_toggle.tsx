import { ActionIcon, type MantineColorScheme, useMantineColorScheme } from '@mantine/core'
import { MoonIcon, SunIcon, SystemIcon } from './icons.tsx'

const next: Record<MantineColorScheme, MantineColorScheme> = { auto: 'light', light: 'dark', dark: 'auto' }
const names: Record<MantineColorScheme, string> = { auto: "the system's", light: 'light', dark: 'dark' }
const icons: Record<MantineColorScheme, () => React.JSX.Element> = { auto: SystemIcon, light: SunIcon, dark: MoonIcon }

/** Goes round the colour schemes: the system's, light, dark. */
export function SchemeToggle() {
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const label = `Colours: ${names[colorScheme]}. Switch to ${names[next[colorScheme]]}.`
  const Shown = icons[colorScheme]
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      size="lg"
      aria-label={label}
      title={label}
      onClick={() => setColorScheme(next[colorScheme])}
    >
      <Shown />
    </ActionIcon>
  )
}
