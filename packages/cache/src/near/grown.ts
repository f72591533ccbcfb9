/** The array's contents in a new one of more elements, which begin as 0. */
export function grown<A extends Uint8Array | Int32Array | Float64Array>(array: A, length: number): A {
  const larger = new (array.constructor as new (length: number) => A)(length)
  larger.set(array)
  return larger
}
