import type { ReactNode } from 'react'

function Icon({ children }: { children: ReactNode }) {
  return (
    <svg
      viewBox="0 0 20 20"
      width="18"
      height="18"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  )
}

/** A sun: to the light scheme. */
export const SunIcon = () => (
  <Icon>
    <circle cx="10" cy="10" r="3.4" />
    <path d="M10 2.200v1.600M10 16.200v1.600M2.2 10h1.600M16.2 10h1.600M4.5 4.5l1.1 1.100M14.4 14.400l1.1 1.100M4.5 15.5l1.1-1.100M14.4 5.600l1.1-1.1" />
  </Icon>
)

/** A moon: to the dark scheme. */
export const MoonIcon = () => (
  <Icon>
    <path d="M16.8 11.800A7 7 0 1 1 8.2 3.200a5.6 5.6 0 0 0 8.6 8.600Z" />
  </Icon>
)

/** Half and half: as the system has it. */
export const SystemIcon = () => (
  <Icon>
    <circle cx="10" cy="10" r="7" />
    <path d="M10 3v14a7 7 0 0 0 0-14Z" fill="currentColor" stroke="none" />
  </Icon>
)

/** A head and shoulders: the account. */
export const PersonIcon = () => (
  <Icon>
    <circle cx="10" cy="7" r="3.2" />
    <path d="M3.8 16.800c.8-3.1 3.2-4.6 6.2-4.600s5.4 1.5 6.2 4.6" />
  </Icon>
)

/** Rows and columns: to the table. */
export const TableIcon = () => (
  <Icon>
    <rect x="3" y="4" width="14" height="12" rx="1.5" />
    <path d="M3 8h14M3 12h14M8 8v8" />
  </Icon>
)

/** A line that goes up: to the chart. */
export const ChartIcon = () => (
  <Icon>
    <path d="M3 3v13.5h14M6 12.5l3.5-4 2.5 2.5 4.5-6" />
  </Icon>
)

/** The name of the house, with its waves. */
export function Wordmark() {
  return (
    <span className="wordmark">
      <svg
        viewBox="0 0 28 20"
        width="25"
        height="18"
        fill="none"
        strokeWidth="2.3"
        strokeLinecap="round"
        aria-hidden="true"
      >
        <path d="M2 4c4-3.4 8-3.4 12 0s8 3.4 12 0" />
        <path d="M2 10c4-3.4 8-3.4 12 0s8 3.4 12 0" opacity=".7" />
        <path d="M2 16c4-3.4 8-3.4 12 0s8 3.4 12 0" opacity=".4" />
      </svg>
      Tailwater
    </span>
  )
}
