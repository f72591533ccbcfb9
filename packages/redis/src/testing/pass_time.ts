import type { TestRedis } from './test_redis.ts'

/**
 * Takes `ms` from the life of every key that expires: to those who read it is as if the time had passed.
 * The server's clock, as TIME shows it, stays.
 */
const PASS = `local ms = tonumber(ARGV[1])
for _, key in ipairs(redis.call('KEYS', '*')) do
  local left = redis.call('PTTL', key)
  if left >= 0 and left <= ms then redis.call('DEL', key) elseif left > ms then redis.call('PEXPIRE', key, left - ms) end
end
return 'passed'`

/** Makes `ms` pass for everything that expires on the servers; of a cluster, those that are masters. */
export async function passTime(servers: readonly TestRedis[], ms: number): Promise<void> {
  const script = JSON.stringify(PASS.replaceAll('\n', ' '))
  for (const server of servers) {
    const reply = await server.ask(`EVAL ${script} 0 ${Math.round(ms)}`)
    if (!reply.includes('passed')) throw new Error(`time does not pass: ${reply}`)
  }
}
