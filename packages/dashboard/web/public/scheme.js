// Sets the colour scheme before the first paint; a file of its own, because the page's policy allows no inline script.
;(() => {
  let chosen = null
  try {
    chosen = localStorage.getItem('tailwater-color-scheme')
  } catch {
    // Storage may be forbidden: then the system's scheme stands.
  }
  const dark = chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light')
})()
