/**
 * Functions that most calls of a script do without.
 *
 * To define a function costs Lua a third of a microsecond, each time the script runs; for the hundred that flows, lanes and rescue are made of that is as long as a
 * turn takes which needs none of them. So they are defined inside of `rest`, which is only called where one is needed: `rest().finish(…)`.
 *
 * @param fragments Lua that defines local functions
 * @param names those of them that `rest` offers
 */
export function lazily(fragments: string, names: readonly string[]): string {
  const offered = names.map((name) => `${name} = ${name}`).join(', ')
  return `
local made
local function rest()
  if not made then
    made = (function()
${fragments}
      return { ${offered} }
    end)()
  end
  return made
end
`
}
