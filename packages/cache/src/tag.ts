/**
 * A tag as this process knows it. Entries hold the object itself, so that whether one of their tags was invalidated is a comparison of two numbers.
 */
export interface Tag {
  readonly name: string
  /** The process's count of invalidations when this tag was last invalidated here; 0 for never. */
  invalidatedAt: number
  /** The store's number of it; undefined while it is not known, or no longer certain. */
  number: number | undefined
}
