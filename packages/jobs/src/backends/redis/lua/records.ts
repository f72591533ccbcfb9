/** What is written of jobs, as bodies, records and links. Needs BASE. */
export const RECORDS = String.raw`
local function firstTick() return math.max(1, now - BEGINNING) end
local function priorityOf(score) return math.floor(score / STEP) + 128 end

local function headOf(body)
  local priority, maxAttempts, queue = string.match(body, '^(%d+)\n(%d+)\n[^\n]*\n([^\n]*)\n')
  return tonumber(priority), tonumber(maxAttempts), queue
end

-- priority, maxAttempts, timeout, queue, kind, rest, payload
local function partsOf(body)
  return string.match(body, '^([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n(.*)$')
end

-- attempt:crashes:startedAt:runAt:bytes of the error, a line feed, the error, the result
local function moreOf(text)
  if not text then return { attempt = 0, crashes = 0, startedAt = '', runAt = '', error = '', result = '' } end
  local attempt, crashes, startedAt, runAt, size, rest = string.match(text, '^(%d+):(%d+):(%d*):(%d*):(%d+)\n(.*)$')
  size = tonumber(size)
  return { attempt = tonumber(attempt), crashes = tonumber(crashes), startedAt = startedAt, runAt = runAt,
    error = string.sub(rest, 1, size), result = string.sub(rest, size + 1) }
end
local function readMore(id) return moreOf(call('HGET', MORE, id)) end
local function writeMore(id, more)
  call('HSET', MORE, id, more.attempt .. ':' .. more.crashes .. ':' .. more.startedAt .. ':' .. more.runAt .. ':' .. #more.error .. '\n'
    .. more.error .. more.result)
end

-- The letter k and the key of a job that has nothing else; otherwise a JSON list.
local function linkFrom(text)
  if not text then return nil end
  if string.byte(text) == 107 then return { parent = '', unique = '', key = string.sub(text, 2) } end
  local link = cjson.decode(text)
  return { parent = link[1], unique = link[2], key = link[3], ignores = link[4] == 'ignore', children = link[5] }
end
local function linkOf(id) return linkFrom(call('HGET', LINK, id)) end

-- A worker that has left, or whose jobs have been taken.
local function forgetWorker(worker)
  call('ZREM', root .. ':workers', worker)
  call('DEL', root .. ':stop:' .. worker, root .. ':seen:' .. worker)
end
`
