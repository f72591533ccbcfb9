import type { History } from '@tailwater/telemetry'

/** Who is logged in, as the server tells it. */
export interface Me {
  user: { email: string; role: string; mustChangePassword: boolean }
  /** Sent along with every change; null when somebody else's log-in lets us in. */
  csrf: string | null
}

/** What the server says of itself. */
export interface Status {
  version: string
  uptimeSeconds: number
  node: string
  process: string
  database: { version: string | null; pool: { open: number; idle: number; waiting: number; max: number } | null }
}

/** A reply that is not what was asked for: the server's own words, and what they mean for the page. */
export class ApiError extends Error {
  readonly status: number
  /** The server's, or `offline` or `unknown` when it said none. */
  readonly code: string
  /** Seconds after which another try makes sense. */
  readonly retryAfter: number | undefined

  constructor(status: number, code: string, message: string, retryAfter?: number) {
    super(message)
    this.status = status
    this.code = code
    this.retryAfter = retryAfter
  }
}

let csrf: string | null = null

/** Address of an operation, wherever the page is mounted. */
export function apiUrl(path: string): string {
  return new URL(`api/${path}`, document.baseURI).href
}

async function call<T>(method: 'GET' | 'POST', path: string, body?: object): Promise<T> {
  const headers: Record<string, string> = { accept: 'application/json' }
  if (body) headers['content-type'] = 'application/json'
  if (method === 'POST' && csrf) headers['x-tailwater-csrf'] = csrf
  const reply = await fetch(apiUrl(path), {
    method,
    headers,
    ...(body ? { body: JSON.stringify(body) } : {}),
  }).catch(() => {
    throw new ApiError(0, 'offline', 'The server cannot be reached.')
  })
  if (!reply.ok) throw await errorOf(reply)
  return (reply.status === 204 ? undefined : await reply.json()) as T
}

async function errorOf(reply: Response): Promise<ApiError> {
  const problem = (await reply.json().catch(() => ({}))) as { code?: string; detail?: string }
  const retryAfter = Number(reply.headers.get('retry-after')) || undefined
  const detail = problem.detail ?? `The server answered ${reply.status}.`
  return new ApiError(reply.status, problem.code ?? 'unknown', detail, retryAfter)
}

async function remember(answer: Promise<Me>): Promise<Me> {
  const me = await answer
  csrf = me.csrf
  return me
}

/** The operations that the page uses. */
export const api = {
  me: () => remember(call<Me>('GET', 'auth/me')),
  login: (email: string, password: string) => remember(call<Me>('POST', 'auth/login', { email, password })),
  logout: () => call<void>('POST', 'auth/logout'),
  changePassword: (current: string, next: string) => call<void>('POST', 'auth/password', { current, next }),
  history: (seconds: number) => call<History>('GET', `metrics/history?seconds=${seconds}`),
  status: () => call<Status>('GET', 'status'),
}
