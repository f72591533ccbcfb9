import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from '@mantine/core'

/** Water over stones: the one accent colour, from light to dark. */
const tide: MantineColorsTuple = [
  '#e6faf7',
  '#c9f3ec',
  '#98e7db',
  '#5fd8c8',
  '#2dc7b5',
  '#12b3a2',
  '#0a9488',
  '#0b766e',
  '#0d5e58',
  '#0c4843',
]

/** Slate with a breath of blue, the dark scheme's greys. */
const dark: MantineColorsTuple = [
  '#e8eef4',
  '#b9c5d1',
  '#94a3b3',
  '#6d7c8c',
  '#35424f',
  '#24303b',
  '#18212a',
  '#0d131a',
  '#0a0f15',
  '#070b10',
]

/** Mantine's theme: dense, small radii, system fonts. */
export const theme = createTheme({
  primaryColor: 'tide',
  // White text on it has a contrast of 5.5 to 1 in both schemes.
  primaryShade: 7,
  colors: { tide, dark },
  defaultRadius: 'sm',
  cursorType: 'pointer',
  respectReducedMotion: true,
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Code", "JetBrains Mono", "DejaVu Sans Mono", monospace',
  fontSizes: { xs: '0.6875rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.25rem' },
})

/** Ties Mantine's own colours to ours in `styles.css`. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-body': '#f3f5f7',
    '--mantine-color-text': '#101820',
    '--mantine-color-dimmed': '#51606e',
    '--mantine-color-placeholder': '#6a7886',
    '--mantine-color-error': '#b3261e',
  },
  dark: {
    '--mantine-color-body': '#0a0f15',
    '--mantine-color-text': '#e8eef4',
    '--mantine-color-dimmed': '#94a3b3',
    '--mantine-color-placeholder': '#7d8c9c',
    '--mantine-color-error': '#ff8f85',
  },
})
