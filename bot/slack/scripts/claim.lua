-- Take what is due and may be sent now: final news first, then news, then progress.
-- Answers {ms until something may be due, record, record, ...}; a record is {id, its ts, twin, thread, fields...}.

local owner, lease, limit = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local post_gap, post_burst = tonumber(ARGV[4]), tonumber(ARGV[5])
local edit_gap, edit_burst, edit_reserve = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local SCAN = 500
local now = now_ms()
local taken, soonest = {}, 60000

local function paced(field)
  return tonumber(redis.call('HGET', PACE, field) or '0')
end

-- A bucket is one number: the time at which it is full again. `free` ms from now a call conforms.
local function free(bucket, gap, burst)
  return paced(bucket) - (burst - 1) * gap - now
end

local function spend(bucket, gap)
  redis.call('HSET', PACE, bucket, whole(math.max(paced(bucket), now) + gap))
end

local function forget_full_buckets()
  local fields = redis.call('HGETALL', PACE)
  for i = 1, #fields, 2 do
    if tonumber(fields[i + 1]) <= now then
      redis.call('HDEL', PACE, fields[i])
    end
  end
end

-- The message to be edited or answered; another one that may be the same: for a card without a message the one that
-- somebody clicked, for a surplus message the one that was saved; and the thread that the card itself is in.
local function messages(kind, job, record)
  local card = key('card', job)
  if kind == 'note' then
    return '', '', ''
  elseif kind == 'amend' then
    local at, what, name = unpack(redis.call('HMGET', record, 'at', 'what', 'name'))
    local saved = what == 'card' and 'ts' or what .. ':' .. name
    return at, redis.call('HGET', card, saved) or '', redis.call('HGET', card, 'thread') or ''
  end
  local ts, hint, home = unpack(redis.call('HMGET', card, 'ts', 'hint', 'thread'))
  return THREADED[kind] and home or ts or '', hint or '', home or ''
end

-- An attempt may reach Slack even if nobody lives to tell: the first one and the last one say where to look.
local function note_attempt(record, previous)
  if previous and previous ~= '' then
    redis.call('HSET', record, 'suspect', '1') -- its lease ran out: what it was about to send may have been sent
  end
  local claimed = redis.call('HGET', record, 'claimed') or whole(now)
  redis.call('HSETNX', record, 'tried', whole(now))
  redis.call('HSET', record, 'last_tried', claimed, 'claimed', whole(now))
end

local function take(id, lane)
  local record = key('outbox', id)
  local kind, channel, job, previous = unpack(redis.call('HMGET', record, 'kind', 'channel', 'job', 'owner'))
  if not kind then
    redis.call('ZREM', OUTBOX, id)
    return
  end
  local ts, twin, home = messages(kind, job, record)
  local posts = kind ~= 'amend' and (kind ~= 'card' or ts == '')
  local bucket = posts and 'post:' .. channel or 'edit'
  local wait = paced('pause:' .. bucket) - now
  if posts then
    wait = math.max(wait, free(bucket, post_gap, post_burst))
  else
    wait = math.max(wait, free(bucket, edit_gap, lane == PROGRESS and edit_burst - edit_reserve or edit_burst))
  end
  if wait > 0 then
    redis.call('HSETNX', record, 'held', whole(now))
    soonest = math.min(soonest, wait)
    return
  end
  spend(bucket, posts and post_gap or edit_gap)
  note_attempt(record, previous)
  local fence = redis.call('INCR', key('outbox', 'fence')) -- never used twice, although records come and go
  redis.call('HSET', record, 'owner', owner, 'fence', fence)
  redis.call('HINCRBY', record, 'attempts', 1)
  place(id, lane, now + lease)
  taken[#taken + 1] = { id, ts, twin, home, unpack(redis.call('HGETALL', record)) }
end

for lane = FINAL, PROGRESS do
  local low, high = whole(lane * LANE), whole(lane * LANE + now)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', OUTBOX, low, high, 'LIMIT', 0, SCAN)) do
    if #taken >= limit then
      soonest = 0
      break
    end
    take(id, lane)
  end
  local later = redis.call('ZRANGEBYSCORE', OUTBOX, '(' .. high, whole((lane + 1) * LANE - 1), 'LIMIT', 0, 1)
  if later[1] then
    soonest = math.min(soonest, due_of(later[1]) - now)
  end
end
forget_full_buckets()
return { math.max(0, math.floor(soonest)), unpack(taken) }
