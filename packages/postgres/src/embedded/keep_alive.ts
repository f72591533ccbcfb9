/**
 * Keeps the process alive until `work` settles. Timers of the clock do not: a wait for a server would otherwise end
 * the process when nothing else is going on.
 */
export async function keepAlive<T>(work: () => Promise<T>): Promise<T> {
  const { port1, port2 } = new MessageChannel()
  port1.onmessage = () => {}
  try {
    return await work()
  } finally {
    port1.close()
    port2.close()
  }
}
