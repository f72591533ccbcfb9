/** How jobs go. Needs ENDINGS. */
export const REMOVAL = `
local function forgetLink(id)
  local link = linkOf(id)
  if link.key ~= '' then call('SREM', root .. ':key:' .. link.key, id) end
  if link.children then
    releaseChildren(id)
    call('DEL', root .. ':kids:' .. id)
    call('HDEL', WAIT, id)
  end
  call('HDEL', LINK, id)
end

-- Deletes what is known of jobs that stand nowhere any more; at most 3,000 at once.
local function forget(queue, ids)
  if #ids == 0 then return end
  call('ZREM', root .. ':all:' .. queue, unpack(ids))
  call('HDEL', JOB, unpack(ids))
  call('HDEL', MORE, unpack(ids))
  for _, hash in ipairs({ NOTE, LINK }) do
    local found = call('EXISTS', hash) == 1 and call('HMGET', hash, unpack(ids)) or {}
    for position = 1, #found do
      if found[position] and hash == LINK then forgetLink(ids[position])
      elseif found[position] then
        call('HDEL', NOTE, ids[position])
        call('DEL', root .. ':log:' .. ids[position])
      end
    end
  end
end

-- Applies the retention of a state, in a bite; says how many went.
local function trim(queue, state, bite)
  local settings, key, gone = settingsOf(queue), root .. ':' .. state .. ':' .. queue, 0
  local most, age = settings[state .. 'Count'], settings[state .. 'Age']
  local excess = most and call('ZCARD', key) - most or 0
  local old = excess > 0 and call('ZRANGE', key, 0, math.min(excess, bite) - 1)
    or age and call('ZRANGEBYSCORE', key, '-inf', '(' .. whole(now - age), 'LIMIT', 0, bite) or {}
  if #old == 0 then return 0 end
  call('ZREM', key, unpack(old))
  forget(queue, old)
  return #old
end

-- Deletes one job that does not run; its parent takes it for cancelled.
local function remove(job)
  local link = linkOf(job.id)
  pull(job)
  if link then
    freeUnique(job.id, link, true)
    if link.parent ~= '' and not FINAL[job.state] then childEnded(link.parent, job.id, 'cancelled') end
  end
  forget(job.queue, { job.id })
end
`
