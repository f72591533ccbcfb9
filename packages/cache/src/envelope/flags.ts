/** Bits 0 and 1: which codec wrote the body. */
export const CODEC = 0b11
/** The body is JSON. */
export const JSON_CODEC = 0
/** The body is MessagePack. */
export const MSGPACK_CODEC = 1
/** The body is whatever the namespace's own codec makes of it. */
export const CUSTOM_CODEC = 2
/** The body is compressed by zstd, with its length before that in front. */
export const COMPRESSED = 0b100
/** The body is encrypted. */
export const ENCRYPTED = 0b1000
/** The body is JSON of nothing but ASCII, and can be read without decoding UTF-8. */
export const ASCII = 0b1_0000
/** The value is `undefined`; there is no body. */
export const ABSENT = 0b10_0000
