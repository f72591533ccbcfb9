/** One member of a header such as `Accept-Encoding: gzip;q=0.8`. */
export interface WeightedValue {
  /** Lower case. */
  value: string
  /** From 0, which refuses the value, to 1. */
  weight: number
}

/** `0`, `0.5`, `1.000`: RFC 9110, section 12.4.2. */
const WEIGHT = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/

/**
 * Reads a weighted list (RFC 9110, section 12.4.2), in the order sent.
 * A member whose weight is not a weight is left out: guessing could pick what the client refuses.
 */
export function parseWeighted(header: string): WeightedValue[] {
  const members: WeightedValue[] = []
  for (const part of header.split(',')) {
    const [value, ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase())
    if (!value) continue
    const weight = weightOf(parameters)
    if (weight !== undefined) members.push({ value, weight })
  }
  return members
}

function weightOf(parameters: readonly string[]): number | undefined {
  for (const parameter of parameters) {
    const match = /^q\s*=\s*(.*)$/.exec(parameter)
    if (match) return WEIGHT.test(match[1]!) ? Number(match[1]) : undefined
  }
  return 1
}

/**
 * The content coding for a reply (RFC 9110, section 12.5.3).
 *
 * The client's weights decide; between equals the order of `supported` does. Without the header
 * nothing is coded, though all would be allowed: clients that send none often cannot decode.
 *
 * @param supported codings in the server's order of preference, without `identity`
 * @returns a member of `supported`, `identity`, or undefined when the client refuses them all
 */
export function negotiateCoding<Coding extends string>(
  header: string | undefined,
  supported: readonly Coding[],
): Coding | 'identity' | undefined {
  if (header === undefined) return 'identity'
  const weights = new Map<string, number>()
  for (const { value, weight } of parseWeighted(header)) weights.set(value === 'x-gzip' ? 'gzip' : value, weight)
  const others = weights.get('*')
  let best: Coding | undefined
  let bestWeight = 0
  for (const coding of supported) {
    const weight = weights.get(coding) ?? others ?? 0
    if (weight > bestWeight) {
      best = coding
      bestWeight = weight
    }
  }
  const plain = weights.get('identity') ?? (others === 0 ? 0 : undefined)
  if (best !== undefined && (plain === undefined || plain <= bestWeight)) return best
  return plain === 0 ? undefined : 'identity'
}
