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
 *   workers        zset   by the end of their lease
 *   seen:W         string the numbers of the last two turns of worker W
 *   running        hash   queue -> number of jobs running
 *   wait, kids:P   hash, list   parent -> children that have not ended; its children
 *   note, log:I    hash, list   progress; lines
 *   unique, unique-ends   hash, zset   unique key -> id:end; those with an end, by it
 *   keyed          zset   all of score 0, so by their bytes: key, a zero byte, id of each job that carries a key
 *   spans:S:Q      hash   how long jobs waited and ran in slot S of five minutes: w or r and a bucket -> jobs; with an expiry
 *   config, queues, awake, pace, tick, minutes:Q, lanes:Q, heads:Q, lane:…, turns:Q, served:…, busy:Q, paced:Q, resting:Q
 *   schedule:N, schedules   hash, zset   by their next moment
 */

/**
 * What all scripts need.
 *
 * Order. A score holds the priority above 45 bits of ticks, of which a millisecond has 16; the ticks, counted from 2020, last until 2089. Priorities count from 128, so
 * that every score is below 2^52 in size: only up to there does the server write a score as the integer that it is, and beyond it three times as slowly.
 * A call takes one tick for all that it adds in ascending order of ids, as equal scores are ordered by id. What was given back stands first: its tick is the
 * plain millisecond, a sixteenth of the ticks of its time. Until 2089 that is below 2^41, and the ticks of everything else are above.
 */
export const BASE = `
local root, call = KEYS[1], redis.call
local JOB, MORE, LINK, WAIT, NOTE = root .. ':job', root .. ':more', root .. ':link', root .. ':wait', root .. ':note'
local STEP, BEGINNING, DAY = 35184372088832, 1577836800000, 86400000

local function whole(number) return string.format('%.0f', number) end
local function ticksOf(ms) return math.max(0, ms - BEGINNING) * 16 end
local function scoreOf(priority, ticks) return whole((priority - 128) * STEP + ticks) end
-- The server writes a number that it is given as a double each time; a text goes as it is.
local present = whole(now)

-- Tells the workers of a queue, once until one of them has found too little again.
local function wake(queue)
  if call('SADD', root .. ':awake', queue) == 1 then call('PUBLISH', root .. ':wake', queue) end
end

-- What holds for a queue: in config, flags (p for paused, l while lanes are left that it needs no more), a bar, and numbers, each followed by a colon.
local settingsKnown = {}
local function settingsOf(queue)
  local known = settingsKnown[queue]
  if known then return known end
  local flags, concurrency, rateCount, ratePer, keyConcurrency, keyRateCount, keyRatePer, fair, completedAge, completedCount, cancelledAge, cancelledCount,
    deadAge, deadCount = string.match(call('HGET', root .. ':config', queue) or '',
      '^(%a*)|([^:]*):([^:]*):([^:]*):([^:]*):([^:]*):([^:]*):([^:]*):([^:]*):([^:]*):([^:]*):([^:]*):([^:]*):([^:]*):$')
  known = { flags = flags or '', completedAge = 7 * DAY, cancelledAge = 7 * DAY, deadAge = 30 * DAY }
  if flags then
    known.concurrency, known.rateCount, known.ratePer = tonumber(concurrency), tonumber(rateCount), tonumber(ratePer)
    known.keyConcurrency, known.keyRateCount, known.keyRatePer = tonumber(keyConcurrency), tonumber(keyRateCount), tonumber(keyRatePer)
    known.fair, known.lanes = fair == '1', keyConcurrency ~= '' or keyRateCount ~= '' or fair == '1'
    known.completedAge, known.completedCount = tonumber(completedAge) or 7 * DAY, tonumber(completedCount)
    known.cancelledAge, known.cancelledCount = tonumber(cancelledAge) or 7 * DAY, tonumber(cancelledCount)
    known.deadAge, known.deadCount = tonumber(deadAge) or 30 * DAY, tonumber(deadCount)
    known.isPaused, known.isLoose = flags ~= '' and string.find(flags, 'p') ~= nil, flags ~= '' and string.find(flags, 'l') ~= nil
  end
  settingsKnown[queue] = known
  return known
end

-- attempt, startedAt, whether it has more, the score at which it was available, the turn that gave it, queue
local function heldOf(text) return string.match(text, '^(%d+):(%d+):(%d):([^:]*):([^:]*):(.*)$') end
`
