/** Slots of a cluster. */
const SLOTS = 16_384

/** CRC16 of CCITT, XMODEM variant, as a table by byte (Redis Cluster specification, appendix A). */
const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1
  return crc
})

/** The slot of a cluster in which a key lies: that of its hash tag, if it has one that is not empty. */
export function keySlot(key: string | Buffer): number {
  const bytes = Buffer.isBuffer(key) ? key : Buffer.from(key)
  let crc = 0
  for (const byte of taggedPart(bytes)) crc = ((crc << 8) & 0xffff) ^ TABLE[(crc >> 8) ^ byte]!
  return crc % SLOTS
}

function taggedPart(key: Buffer): Buffer {
  const open = key.indexOf('{')
  const close = open < 0 ? -1 : key.indexOf('}', open + 1)
  return close > open + 1 ? key.subarray(open + 1, close) : key
}
