import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { addressGroup, byAddress, byHeader, firstOf } from '../src/index.ts'
import { exchangeOf } from './exchange_fixture.ts'

describe('a client is counted by', () => {
  const groups: [address: string, group: string, why: string][] = [
    ['203.0.113.7', '203.0.113.7', 'its whole IPv4 address'],
    ['::ffff:203.0.113.7', '203.0.113.7', 'its IPv4 address when that is mapped into IPv6'],
    ['::ffff:cb00:7107', '203.0.113.7', 'its IPv4 address when mapped and written in hexadecimal'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64', 'the first 64 bits of IPv6'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64', 'the same 64 bits however they are written'],
    ['2001:0DB8:0001:0002:0000:0000:0000:0009', '2001:db8:1:2::/64', 'the same 64 bits in full'],
    ['2001:db8::1', '2001:db8:0:0::/64', 'zeros that are left out'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64', 'its address without the zone'],
    ['::1', '0:0:0:0::/64', 'the loopback network'],
    ['unix', 'unix', 'what it is called when it has no address'],
  ]
  for (const [address, group, why] of groups) it(why, () => assert.equal(addressGroup(address), group))

  it('its API key, of which only a hash is kept', () => {
    const key = byHeader('X-Api-Key')(exchangeOf({ headers: { 'x-api-key': 'secret' } }))!
    assert.ok(!key.includes('secret') && key.length < 64)
    assert.equal(byHeader('x-api-key')(exchangeOf()), undefined)
  })

  it('the first key that it has', () => {
    const key = firstOf(byHeader('x-api-key'), byAddress)
    assert.equal(key(exchangeOf()), 'a:203.0.113.7')
    assert.match(key(exchangeOf({ headers: { 'x-api-key': 'k' } }))!, /^h:/)
  })
})
