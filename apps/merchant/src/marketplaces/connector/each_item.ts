/**
 * Performs something for each item, and gives the results in their order.
 *
 * Rejects with the first failure, but not before all have ended: whoever is told that it failed may try again, and must not be overtaken by what is still on its way.
 */
export async function eachItem<Item, Result>(
  items: readonly Item[],
  perform: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const ends = await Promise.allSettled(items.map(perform))
  const failed = ends.find((end) => end.status === 'rejected')
  if (failed) throw failed.reason
  return ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []))
}
