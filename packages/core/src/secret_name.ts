/** Names of fields whose values nobody is shown, as they are without case, `-` and `_`: `clientSecret` and `session_token` among them. */
const SECRET =
  /pass(word|phrase|wd|code)|pwd|secret|token|apikey|accesskey|privatekey|authori[sz]ation|cookie|credential|cardnumber|creditcard|^(pass|hash|salt|card|cvc|cvv|iban|ssn)$/

/** Whether a field of this name holds what neither a page nor a log should show: passwords, keys, tokens, numbers of cards and accounts. */
export function isSecretName(name: string): boolean {
  return SECRET.test(plainName(name))
}

/** A name as names are compared: without case, `-` and `_`. */
export function plainName(name: string): string {
  return name.toLowerCase().replaceAll(/[-_]/g, '')
}
