import {
  boolean,
  group,
  integer,
  number,
  optional,
  resolveOptions,
  type Size,
  size,
  text,
  value,
} from '@tailwater/core'
import type { EnvelopeCodec } from './codec.ts'

/** How the envelopes of one namespace are made. */
export interface EnvelopeOptions {
  /** Named in errors. */
  namespace: string
  /** `await msgpackCodec()`, or one of your own. JSON is read whatever stands here. @default JSON */
  codec?: EnvelopeCodec
  /** zstd for bodies from `min` on, kept if it leaves `ratio` of the bytes or less. @default { min: '8kb', ratio: 0.8, level: 1 } */
  compression?: false | { min?: Size; ratio?: number; level?: 1 | 2 | 3 }
  /**
   * AES-256-GCM with keys of 32 bytes: one, or two while rotating, the current one first. Then whatever is not encrypted is a miss. Compression goes before it: where
   * an attacker can choose a part of a value and see how long the whole becomes, turn it off.
   */
  encryption?: { keys: readonly Uint8Array[] }
  /** Refuses values with something within that JSON would drop or change: functions, symbols, Maps, Sets, bytes, errors, NaN. Makes writing several times dearer; for development. @default false */
  strict?: boolean
}

const isCodec = (given: unknown) =>
  typeof (given as EnvelopeCodec)?.encode === 'function' && typeof (given as EnvelopeCodec).decode === 'function'

const COMPRESSION = group({
  min: size({ default: '8kb' }),
  ratio: number({ min: 0, max: 1, default: 0.8 }),
  level: integer({ min: 1, max: 3, default: 1 }),
})

/** @throws E_OPTIONS */
export function resolveEnvelopeOptions(options: EnvelopeOptions) {
  const { compression, ...rest } = options
  const resolved = resolveOptions('envelope', rest, {
    namespace: text(),
    codec: optional(value<EnvelopeCodec>('a codec with encode and decode', isCodec)),
    encryption: optional(group({ keys: value<readonly Uint8Array[]>('a list of keys', Array.isArray) })),
    strict: boolean({ default: false }),
  })
  return {
    ...resolved,
    compression: compression === false ? undefined : COMPRESSION.parse(compression, 'envelope.compression'),
  }
}
