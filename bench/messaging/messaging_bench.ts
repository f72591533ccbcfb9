import { startRabbitMq } from '@tailwater/messaging/testing/rabbitmq'
import type { Bench } from '../harness/bench.ts'
import { packageVersions } from '../harness/machine.ts'
import type { Measured } from '../harness/row.ts'
import { SideProcess } from '../harness/side_process.ts'
import { measureEmbedded } from './embedded_row.ts'
import type { MessagingPlan } from './messaging_side.ts'

/** The raw clients; each is a row, and the fastest is the one to compare with. */
const PEERS = ['amqplib', 'rabbitmq-client', '@cloudamqp/amqp-client'] as const
const SIDES = ['ours', ...PEERS] as const
const ROUNDS = 8
/** Messages of a round: a second or two. */
const COUNT = 30_000

/** `bench messaging`: ours beside the raw clients of RabbitMQ, and without a broker beside pg-boss. */
export const messagingBench: Bench = {
  name: 'messaging',
  async run(options) {
    const { rounds = ROUNDS, quick, say } = options
    const broker = await startRabbitMq()
    const processes = SIDES.map(
      (side) => new SideProcess<MessagingPlan, number>('bench/messaging/messaging_side.ts', [side]),
    )
    const rates: number[][] = SIDES.map(() => [])
    try {
      for (let round = 0; round < rounds; round++) {
        // Who begins changes from round to round.
        for (let turn = 0; turn < SIDES.length; turn++) {
          const at = (round + turn) % SIDES.length
          const plan = { url: broker.nodes[0]!.url, queue: `bench-${round}-${at}`, count: quick ? 5_000 : COUNT }
          rates[at]!.push(await processes[at]!.run(plan))
        }
        say(
          `messaging throughput ${round + 1}/${rounds}: ${SIDES.map((side, at) => `${side} ${Math.round(rates[at]![round]!)}`).join(', ')}`,
        )
      }
    } finally {
      for (const one of processes) one.close()
      await broker.stop()
    }
    const [ours, ...theirs] = rates
    return {
      rows: [...rowsOf(ours!, theirs), ...(await measureEmbedded(options))],
      versions: { node: process.versions.node, rabbitmq: '3.10', ...packageVersions([...PEERS, 'pg-boss'], 'bench') },
    }
  },
}

function rowsOf(ours: number[], theirs: readonly number[][]): Measured[] {
  const common = {
    row: 'messaging throughput',
    metric: 'messages/s, 200 B, published and consumed at once on a quorum queue of one node',
    unit: '/s',
    better: 'higher' as const,
    ours,
    settings: {
      ours: 'RabbitMQ backend: topic exchange, mandatory, confirms with 1000 in flight, prefetch 200, settlements answered by the broker',
      theirs:
        'default exchange, confirms with 1000 in flight, prefetch 200, manual acknowledgement; one connection for each way',
    },
    checked: 'every message was confirmed, and as many were handled',
  }
  return [
    { row: { ...common, peer: 'its own level', theirs: null }, target: { kind: 'count', atLeast: 10_000 } },
    ...theirs.map(
      (rates, at): Measured => ({
        row: { ...common, peer: PEERS[at]!, theirs: rates },
        target: { kind: 'ratio', atLeast: 0.85 },
      }),
    ),
  ]
}
