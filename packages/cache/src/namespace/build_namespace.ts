import type { Coherence } from '../coherence/coherence.ts'
import type { CacheCore } from '../core.ts'
import { createEnvelopeFormat, type EnvelopeFormat } from '../envelope/format.ts'
import { keyForm } from '../key.ts'
import { createNearTier, type NearTier } from '../near/near_tier.ts'
import { noNearTier } from '../near/no_near_tier.ts'
import { type Policy, policyOf } from '../policy.ts'
import { Space } from '../space.ts'
import type { NamespaceStats } from '../statistics.ts'
import { EVERYTHING, fenceTag, namespaceTag } from '../tag_name.ts'
import { lifetimeOf, type NamespaceDefinition, resolveDefinition } from './definition.ts'
import { Namespace } from './namespace.ts'
import { WriteBehind } from './write_behind.ts'

/** What a namespace is built in. */
export interface NamespaceGround {
  core: CacheCore
  coherence: Coherence
  /** What holds where the definition says nothing. */
  policy: Policy
  stats(space: Space): NamespaceStats
}

/** A namespace, and what has to be stopped with it. */
export interface BuiltNamespace<Id, Value> {
  namespace: Namespace<Id, Value>
  writeBehind: WriteBehind<Id, Value> | undefined
  /** It names what is to be loaded at the start. */
  isWarmed: boolean
}

/** @throws E_OPTIONS, E_CACHE_TAG */
export function buildNamespace<Id, Value>(
  { core, coherence, policy, stats }: NamespaceGround,
  name: string,
  definition: NamespaceDefinition<Id, Value>,
): BuiltNamespace<Id, Value> {
  const resolved = resolveDefinition(name, definition)
  const near = nearOf(core, resolved.near)
  // Read though there is no far tier here: there is one in production.
  const format = formatOf(name, core.freeze, resolved.far)
  const space = new Space({
    name,
    core,
    near,
    form: keyForm(name, near !== core.near),
    policy: policyOf(`cache.define('${name}')`, lifetimeOf(resolved), policy),
    format: core.far && format,
    schema: resolved.schema,
    fence: core.tags.take(fenceTag(name)),
    ownTags: [core.tags.take(EVERYTHING), core.tags.take(namespaceTag(name))],
  })
  const { store, storeMany, writeBehind: behind } = resolved
  const storeAll =
    storeMany ??
    ((entries: readonly (readonly [Id, Value])[]) => Promise.all(entries.map(([id, value]) => store!(id, value))))
  const writeBehind = behind ? new WriteBehind<Id, Value>(name, core.clock, behind, storeAll) : undefined
  const namespace = new Namespace<Id, Value>({ space, coherence, definition: resolved, writeBehind, stats })
  return { namespace, writeBehind, isWarmed: resolved.warm !== undefined }
}

function nearOf(core: CacheCore, near: ReturnType<typeof resolveDefinition>['near']): NearTier {
  if (near === undefined) return core.near
  return near === false ? noNearTier : createNearTier(near)
}

/** @param strict in development what would come back as something else is refused, where it is written */
function formatOf(
  namespace: string,
  strict: boolean,
  far: NonNullable<NamespaceDefinition<never, never>['far']>,
): EnvelopeFormat | undefined {
  return far === false ? undefined : createEnvelopeFormat({ namespace, strict, ...far })
}
