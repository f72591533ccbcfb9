/*
 * What every script of this backend begins with: names, settings, order, records.
 *
 * Keys. KEYS[1] is the root, `prefix:{jobs}`; all others are made from it, so that they share its hash tag and a cluster keeps them on one node.
 *
 *   job            hash   id -> body (see job_text.ts): what the enqueuer said
 *   more           hash   id -> what has happened since; only of jobs that were scheduled, failed, edited or have ended
 *   link           hash   id -> parent, unique key, key, policy, children; only of jobs that have one of them
 *   all:Q          zset   every job of queue Q, by the moment it was enqueued
 *   available:Q    zset   by priority and turn; of jobs with a key in a queue with lanes: lane:…
 *   scheduled:Q, retryable:Q   zset   by the moment they are due, times 256, plus the priority
 *   pending:Q, completed:Q, cancelled:Q, dead:Q   zset   by moment
 *   kept-S:Q       zset   ended in state S, kept from retention because the parent has not ended
 *   held:W         hash   jobs of worker W: id -> attempt:startedAt:hasMore:score:turn:queue
 *   stop:W         set    those of them that were asked to stop
 *   workers, seen  zset, hash   by the end of their lease; worker -> number of its last turn
 *   running        hash   queue -> number of jobs running
 *   wait, kids:P   hash, list   parent -> children that have not ended; its children
 *   note, log:I    hash, list   progress; lines
 *   unique, unique-ends   hash, zset   unique key -> id:end; those with an end, by it
 *   key:K          set    ids that carry key K
 *   config, paused, queues, awake, pace, tick, minutes:Q, lanes:Q, heads:Q, lane:…, turns:Q, served:…, busy:Q, paced:Q, resting:Q
 *   schedule:N, schedules   hash, zset   by their next moment
 */

/**
 * Order. A score holds the priority above 45 bits of ticks, of which a millisecond has 16: doubles are exact up to 2^53, and the ticks, counted from 2020, last until 2089.
 * A call takes one tick for all that it adds in ascending order of ids, as equal scores are ordered by id. What was given back stands first: its tick is the
 * plain millisecond, a sixteenth of the ticks of its time. Until 2089 that is below 2^41, and the ticks of everything else are above.
 */
export const GROUND = String.raw`
local root, call = KEYS[1], redis.call
local JOB, MORE, LINK, WAIT, NOTE = root .. ':job', root .. ':more', root .. ':link', root .. ':wait', root .. ':note'
local STEP, BEGINNING, DAY = 35184372088832, 1577836800000, 86400000

local function whole(number) return string.format('%.0f', number) end
local function ticksOf(ms) return math.max(0, ms - BEGINNING) * 16 end
local function firstTick() return math.max(1, now - BEGINNING) end
local function scoreOf(priority, ticks) return whole(priority * STEP + ticks) end
local function priorityOf(score) return math.floor(score / STEP) end

-- The first of a number of ticks for jobs of ascending ids; goes on with the last one if these ids are above those that it was for. Never goes back, even if
-- the server's clock does.
local function takeTicks(count, first, last)
  local tick, id = string.match(call('GET', root .. ':tick') or '0 ', '^(%d+) (.*)$')
  tick = tonumber(tick)
  if ticksOf(now) > tick then tick = ticksOf(now) elseif first <= id then tick = tick + 1 end
  call('SET', root .. ':tick', whole(tick + count - 1) .. ' ' .. last)
  return tick
end

-- Tells the workers of a queue, once until one of them has found too little again.
local function wake(queue)
  if call('SADD', root .. ':awake', queue) == 1 then call('PUBLISH', root .. ':wake', queue) end
end

local FIELDS = { 'concurrency', 'rateCount', 'ratePer', 'keyConcurrency', 'keyRateCount', 'keyRatePer', 'fair', 'completedAge', 'completedCount',
  'cancelledAge', 'cancelledCount', 'deadAge', 'deadCount' }
local settingsKnown = {}
local function settingsOf(queue)
  if settingsKnown[queue] then return settingsKnown[queue] end
  local settings, position = { completedAge = 7 * DAY, cancelledAge = 7 * DAY, deadAge = 30 * DAY }, 0
  local packed = call('HGET', root .. ':config', queue)
  if packed then
    for value in string.gmatch(packed, '([^:]*):') do
      position = position + 1
      settings[FIELDS[position]] = tonumber(value)
    end
    settings.lanes = settings.keyConcurrency or settings.keyRateCount or settings.fair
  end
  settingsKnown[queue] = settings
  return settings
end

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

local function linkOf(id)
  local text = call('HGET', LINK, id)
  if not text then return nil end
  local link = cjson.decode(text)
  return { parent = link[1], unique = link[2], key = link[3], ignores = link[4] == 'ignore', children = link[5] }
end

-- attempt, startedAt, whether it has more, the score at which it was available, the turn that gave it, queue
local function heldOf(text) return string.match(text, '^(%d+):(%d+):(%d):([^:]*):([^:]*):(.*)$') end

-- A worker that has left, or whose jobs have been taken.
local function forgetWorker(worker)
  call('ZREM', root .. ':workers', worker)
  call('HDEL', root .. ':seen', worker)
  call('DEL', root .. ':stop:' .. worker)
end
`
