/** Colours of the series, the same in tile, chart and table. Each pair is light scheme, dark scheme. */
const colors = {
  requests: ['#1463c4', '#5ea8ff'],
  errors: ['#c4281c', '#ff6f66'],
  p50: ['#7c6bd6', '#8f86d9'],
  p95: ['#5b2fd0', '#b29bff'],
  p99: ['#b0187d', '#ff8ad4'],
  hitRatio: ['#08786d', '#2fd6c3'],
  lookups: ['#66788a', '#7f92a5'],
  completed: ['#2a7d2e', '#7edb83'],
  waiting: ['#a35200', '#ffb454'],
  running: ['#0b6fa4', '#5cc8f5'],
  failed: ['#c4281c', '#ff6f66'],
  open: ['#3d4fc4', '#8fa2ff'],
  busy: ['#0b6fa4', '#5cc8f5'],
  cpu: ['#9a6700', '#e8c547'],
  loop: ['#5c7a0c', '#b3dd5c'],
} as const

/** What a colour stands for. */
export type Hue = keyof typeof colors

/** One of the page's two looks. */
export type Scheme = 'light' | 'dark'

/** A series' colour in a scheme. */
export function colorOf(hue: Hue, scheme: Scheme): string {
  return colors[hue][scheme === 'light' ? 0 : 1]
}

/** Grid, axes and cursor of a chart. */
export function inkOf(scheme: Scheme): { grid: string; text: string } {
  return scheme === 'light'
    ? { grid: 'rgba(16,24,32,.08)', text: '#51606e' }
    : { grid: 'rgba(200,220,240,.08)', text: '#94a3b3' }
}
