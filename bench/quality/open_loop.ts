import { Agent, type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'

/** Requests at fixed moments, whether or not those before are answered: whoever asks does not wait for others. */
export interface OpenLoopPlan {
  /** On 127.0.0.1. */
  port: number
  /** POSTed to in turn, each with a token that may. */
  targets: readonly { path: string; token: string }[]
  perSecond: number
  /** Milliseconds. */
  warmUp: number
  measure: number
}

/** What came of it. Latencies in milliseconds, from the moment at which a request was due. */
export interface OpenLoopOutcome {
  latencies: number[]
  /** Answers of another status than 202, and what the first of them was. */
  wrong: number
  firstWrong: string | undefined
  /** Where the jobs are followed, in the order of their answers; with the tokens that may. */
  followed: { path: string; token: string }[]
  /** The latest that a request was sent after it was due: what the load itself adds. */
  late: number
}

/** Asks, and waits for every answer. */
export async function runOpenLoop(plan: OpenLoopPlan): Promise<OpenLoopOutcome> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1_000 })
  const outcome: OpenLoopOutcome = { latencies: [], wrong: 0, firstWrong: undefined, followed: [], late: 0 }
  const gap = 1_000 / plan.perSecond
  const count = Math.ceil((plan.warmUp + plan.measure) / gap)
  const answers: Promise<void>[] = []
  const startedAt = performance.now()
  for (let nth = 0; nth < count; nth++) {
    const dueAt = startedAt + nth * gap
    const early = dueAt - performance.now()
    if (early > 1) await pause(early)
    const isCounted = nth * gap >= plan.warmUp
    if (isCounted) outcome.late = Math.max(outcome.late, performance.now() - dueAt)
    answers.push(ask(agent, plan, nth).then((answer) => note(outcome, answer, isCounted ? dueAt : undefined)))
  }
  await Promise.all(answers)
  agent.destroy()
  return outcome
}

interface Answered {
  token: string
  status: number
  body: string
  at: number
}

function ask(agent: Agent, { port, targets }: OpenLoopPlan, nth: number): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const { path, token } = targets[nth % targets.length]!
    const headers = { authorization: `Bearer ${token}`, 'content-length': '0' }
    const sent = request({ agent, host: '127.0.0.1', port, method: 'POST', path, headers })
    sent.on('error', reject)
    sent.on('response', (response: IncomingMessage) => {
      text(response).then(
        (body) => resolve({ token, status: response.statusCode ?? 0, body, at: performance.now() }),
        reject,
      )
    })
    sent.end()
  })
}

function note(outcome: OpenLoopOutcome, { token, status, body, at }: Answered, dueAt: number | undefined): void {
  if (status !== 202) {
    outcome.wrong++
    outcome.firstWrong ??= `${status}: ${body.slice(0, 300)}`
    return
  }
  outcome.followed.push({ path: (JSON.parse(body) as { status: string }).status, token })
  if (dueAt !== undefined) outcome.latencies.push(at - dueAt)
}
