import {
  type Duration,
  duration,
  integer,
  optional,
  optionsError,
  type Resolved,
  resolveOptions,
  value,
} from '@tailwater/core'
import type { EnvelopeOptions } from '../envelope/options.ts'
import type { BatchContext, BatchResult } from '../load/batch_load.ts'
import type { LoadContext } from '../load/load_context.ts'
import { type NearOptions, nearFields } from '../near/near_options.ts'
import { type Lifetime, lifetimeFields } from '../policy.ts'
import type { StandardSchema } from '../standard_schema.ts'

/** How values that are set are brought to their source later. */
export interface WriteBehindOptions {
  /** How long writes of one key are collected; the last one counts. @default '1s' */
  delay?: Duration
  /** Values of one call of `storeMany`. @default 100 */
  batch?: number
  /** Values that may wait; `set` rejects with E_CACHE_QUEUE_FULL beyond. @default 10_000 */
  maxQueue?: number
}

/** How a namespace finds, keeps and stores its values. */
export interface NamespaceDefinition<Id, Value> extends Lifetime {
  /** Unique text of an id; needed for ids that are neither text nor number. @default String(id) */
  key?(id: Id): string | number
  /** Brings a value on a miss, once for all who ask meanwhile. Without it `get` knows only what was set. */
  load?(id: Id, context: LoadContext<Value>): Promise<Value> | Value
  /** Brings many at once, for `getMany` and warming. */
  loadMany?(
    ids: readonly Id[],
    context: BatchContext<Id, Value>,
  ): Promise<BatchResult<Id, Value>> | BatchResult<Id, Value>
  /** Brings a value that was set to its source, before it is kept: write-through. */
  store?(id: Id, value: Value): Promise<unknown>
  /** Likewise for many; with `writeBehind` for those that were collected. */
  storeMany?(entries: readonly (readonly [Id, Value])[]): Promise<unknown>
  /** `set` keeps the value at once and stores it later. A process that is killed loses what it had not stored. @default write-through */
  writeBehind?: true | WriteBehindOptions
  /** What values must look like, those from the far tier too. Must take what it gives, and be synchronous. */
  schema?: StandardSchema<Value>
  /** Ids that are worth having before anybody asks: loaded in the background after each `start`. */
  warm?(): Iterable<Id> | AsyncIterable<Id>
  /** A tier of its own within these bounds; `false` keeps nothing near. @default the tier that namespaces share */
  near?: NearOptions | false
  /** Whether, and how, values stand in the far tier. @default JSON, compressed from 8 kB on */
  far?: false | Pick<EnvelopeOptions, 'codec' | 'compression' | 'encryption'>
}

const isObject = (given: unknown) => typeof given === 'object' && given !== null
const isFunction = (given: unknown) => typeof given === 'function'
const fn = <F>() => optional(value<F>('a function', isFunction))

const writeBehindFields = {
  delay: duration({ default: '1s' }),
  batch: integer({ min: 1, default: 100 }),
  maxQueue: integer({ min: 1, default: 10_000 }),
}

/** Write-behind with nothing left open. */
export type ResolvedWriteBehind = Resolved<typeof writeBehindFields>

/** The functions of a definition. */
export type NamespaceFunctions<Id, Value> = {
  readonly [Name in 'key' | 'load' | 'loadMany' | 'store' | 'storeMany' | 'warm']:
    | NamespaceDefinition<Id, Value>[Name]
    | undefined
}

/** @throws E_OPTIONS, E_CACHE_TAG */
export function resolveDefinition<Id, Value>(name: string, definition: NamespaceDefinition<Id, Value>) {
  const path = `cache.define('${name}')`
  if (!isObject(definition)) throw optionsError(path, 'an object of options', definition)
  const { near, far, writeBehind, ...rest } = definition
  const resolved = resolveOptions(path, rest, {
    ...lifetimeFields,
    key: fn<NonNullable<typeof definition.key>>(),
    load: fn<NonNullable<typeof definition.load>>(),
    loadMany: fn<NonNullable<typeof definition.loadMany>>(),
    store: fn<NonNullable<typeof definition.store>>(),
    storeMany: fn<NonNullable<typeof definition.storeMany>>(),
    warm: fn<NonNullable<typeof definition.warm>>(),
    schema: optional(
      value<StandardSchema<Value>>(
        'a Standard Schema',
        (given) => (typeof given === 'object' && given !== null && '~standard' in given) || isFunction(given),
      ),
    ),
  })
  if (writeBehind && !resolved.store && !resolved.storeMany)
    throw optionsError(`${path}.writeBehind`, 'given together with store or storeMany', writeBehind)
  return {
    ...resolved,
    near: near === undefined || near === false ? near : resolveOptions(`${path}.near`, near, nearFields),
    far: farOf(path, far),
    writeBehind:
      writeBehind && resolveOptions(`${path}.writeBehind`, writeBehind === true ? {} : writeBehind, writeBehindFields),
  }
}

function farOf(path: string, far: NamespaceDefinition<never, never>['far']): NonNullable<typeof far> {
  if (far === undefined || far === false || isObject(far)) return far ?? {}
  throw optionsError(`${path}.far`, 'false, or an object of options', far)
}

/** The lifetime part of a definition. */
export function lifetimeOf(definition: { readonly [Name in keyof Lifetime]: Lifetime[Name] | undefined }): Lifetime {
  const lifetime: Record<string, unknown> = {}
  for (const name of Object.keys(lifetimeFields)) {
    const given = definition[name as keyof Lifetime]
    if (given !== undefined) lifetime[name] = given
  }
  return lifetime
}
