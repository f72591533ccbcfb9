/*
 * What is used of the peers, so that types are checked where they are not installed: they are packages of this project alone.
 */

declare module 'lru-cache' {
  export class LRUCache<Key, Value> {
    constructor(options: { max: number; maxSize?: number; ttl?: number })
    readonly size: number
    get(key: Key): Value | undefined
    set(key: Key, value: Value, options?: { size: number }): this
  }
}

declare module 'bentocache' {
  interface Store {
    useL1Layer(driver: unknown): Store
    useL2Layer(driver: unknown): Store
    useBus(driver: unknown): Store
  }
  export function bentostore(): Store
  export class BentoCache {
    constructor(options: { default: string; ttl: number; stores: Record<string, Store> })
    getOrSet<Value>(options: { key: string; factory(): Promise<Value> }): Promise<Value>
    get<Value>(options: { key: string }): Promise<Value | undefined>
    disconnect(): Promise<void>
  }
}

declare module 'bentocache/drivers/memory' {
  export function memoryDriver(options: { maxItems: number; serialize?: boolean }): unknown
}

declare module 'bentocache/drivers/redis' {
  export function redisDriver(options: { connection: unknown }): unknown
  export function redisBusDriver(options: { connection: { host: string; port: number } }): unknown
}

declare module '@cacheable/memory' {
  export function createKeyv(options: { lruSize: number; useClone: boolean; storeHashSize: number }): unknown
}

declare module '@keyv/redis' {
  export function createKeyv(url: string): unknown
}

declare module 'cacheable' {
  export class Cacheable {
    constructor(options: { primary: unknown; secondary?: unknown; ttl: number })
    getOrSet<Value>(key: string, load: () => Promise<Value>): Promise<Value | undefined>
    getMany<Value>(keys: string[]): Promise<(Value | undefined)[]>
    disconnect(): Promise<void>
  }
}

declare module 'cache-manager' {
  export function createCache(options: { stores: unknown[]; ttl: number }): {
    wrap<Value>(key: string, load: () => Promise<Value>): Promise<Value>
    mget<Value>(keys: string[]): Promise<(Value | undefined)[]>
    disconnect(): Promise<void>
  }
}

declare module 'ioredis-6' {
  export { Redis } from 'ioredis'
}
