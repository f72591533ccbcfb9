import { optionsError } from '@tailwater/core'

/** Sources by directive: `{ 'script-src': ["'self'", "'nonce'"] }`. `"'nonce'"` stands for the reply's own nonce. */
export type PolicyDirectives = Readonly<Record<string, readonly string[] | true | undefined>>

/** What a page of an application of one's own needs: nothing from elsewhere, no inline script without the nonce, no framing. */
export const DEFAULT_DIRECTIVES: PolicyDirectives = {
  'default-src': ["'self'"],
  'base-uri': ["'none'"],
  'connect-src': ["'self'"],
  'font-src': ["'self'", 'data:'],
  'form-action': ["'self'"],
  'frame-ancestors': ["'none'"],
  'img-src': ["'self'", 'data:', 'blob:'],
  'object-src': ["'none'"],
  'script-src': ["'self'", "'nonce'"],
  'style-src': ["'self'", "'nonce'"],
}

/** A policy ready to be written, around a nonce where it has one. */
export interface ContentSecurityPolicy {
  readonly usesNonce: boolean
  write(nonce: string): string
}

const NONCE = "'nonce'"

/**
 * Prepares a policy (W3C Content Security Policy Level 3): the defaults, with the given directives in their place.
 * `undefined` takes a default away; `true` is a directive without sources.
 *
 * @throws E_OPTIONS on a name or a source that could end its directive
 */
export function preparePolicy(given: PolicyDirectives): ContentSecurityPolicy {
  const directives = Object.entries({ ...DEFAULT_DIRECTIVES, ...given }).filter(([, sources]) => sources !== undefined)
  const written = directives.map(([name, sources]) => {
    if (!/^[a-z-]+$/.test(name))
      throw optionsError(`securityHeaders.csp.${name}`, "a directive's name such as 'script-src'", name)
    return [name, ...(sources === true ? [] : checkSources(name, sources!))].join(' ')
  })
  const parts = written.join('; ').split(NONCE)
  return { usesNonce: parts.length > 1, write: (nonce) => parts.join(`'nonce-${nonce}'`) }
}

function checkSources(name: string, sources: readonly string[]): readonly string[] {
  for (const source of sources)
    if (/[\s;,]/.test(source) || source === '')
      throw optionsError(`securityHeaders.csp.${name}`, 'sources without spaces, commas or semicolons', source)
  return sources
}
