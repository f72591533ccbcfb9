/** What the jobs of all rows carry: some 190 bytes of JSON, as an order's confirmation would. */
export const payload = {
  to: 'somebody@example.com',
  subject: 'Your order has been shipped',
  order: 1_234_567,
  lines: [
    { sku: 'A-1', count: 2 },
    { sku: 'B-22', count: 1 },
  ],
  note: 'Leave it with the neighbours, please.',
}

/** Runs `count` calls, `callers` at a time, each beginning its next when the one before is answered. */
export async function callConcurrently(count: number, callers: number, call: () => Promise<unknown>): Promise<void> {
  let left = count
  const caller = async () => {
    while (left-- > 0) await call()
  }
  await Promise.all(Array.from({ length: callers }, caller))
}

/** Things done in a second. @param began reading of `performance.now()` */
export const perSecond = (count: number, began: number) => (count / (performance.now() - began)) * 1_000
