-- Shared by the outbox's scripts.
--
-- `outbox` orders records by lane and then by the ms they are due. A record that somebody works on stays in its lane,
-- due when the lease ends: a drainer that died needs no sweeper.

local FINAL, NEWS, PROGRESS = 0, 1, 2
local LANE = 1e13
local OUTBOX = key('outbox')
local PACE = key('outbox', 'pace')
local THREADED = { reply = true, file = true }

local function place(id, lane, due)
  redis.call('ZADD', OUTBOX, whole(lane * LANE + due), id)
end

local function due_of(id)
  local score = redis.call('ZSCORE', OUTBOX, id)
  return score and tonumber(score) % LANE
end

local function leased(record)
  local owner = redis.call('HGET', record, 'owner')
  return owner and owner ~= ''
end

-- One waiting mark is enough: whoever takes it looks at everything.
local function wake()
  local bell = key('outbox', 'bell')
  if redis.call('LLEN', bell) == 0 then
    redis.call('RPUSH', bell, '1')
  end
end

-- What goes into a job's thread goes out one after the other: only the first of its list is in `outbox`.
local function offer_reply(job, now)
  local id = redis.call('LINDEX', key('outbox', 'replies', job), 0)
  if id and not redis.call('ZSCORE', OUTBOX, id) then
    local lane = redis.call('HGET', key('outbox', id), 'lane') or NEWS
    place(id, tonumber(lane), now)
    wake()
  end
end

-- Whether a card is still to come that a reply belongs under. If not, it is told to the channel: the card was shown to
-- its end and deleted by somebody, or it was given up.
local function card_is_to_come(job)
  local card = key('card', job)
  local tried = redis.call('HEXISTS', card, 'shown') == 1 or redis.call('HEXISTS', card, 'error') == 1
  return redis.call('EXISTS', key('outbox', 'card:' .. job)) == 1 or not tried
end

-- The batch below whose card everything of this job goes; nothing for most jobs.
local function joined(job)
  return redis.call('HGET', key('card', job), 'into')
end

-- Queue something for a job's thread, each name of a kind once, ever. False: it was queued or posted before.
local function thread(kind, job, channel, name, lane, text, blocks, keep, now, ...)
  local batch = joined(job)
  if batch then
    job, name = batch, job .. '.' .. name
  end
  local card, id = key('card', job), kind .. ':' .. job .. ':' .. name
  if redis.call('HSETNX', card, kind .. ':' .. name, '') == 0 then
    return false
  end
  redis.call('HSETNX', card, 'channel', channel)
  redis.call('PEXPIRE', card, keep)
  redis.call('HSET', key('outbox', id), 'kind', kind, 'job', job, 'channel', channel, 'name', name, 'lane', lane,
    'text', text, 'blocks', blocks, 'plain', '0', 'created', whole(now), ...)
  redis.call('RPUSH', key('outbox', 'replies', job), id)
  if redis.call('HEXISTS', card, 'ts') == 1 or not card_is_to_come(job) then
    offer_reply(job, now)
  end
  return true
end

-- Queue an edit of a message that is not, or no longer, a job's card. Once for each message.
local function amend(job, channel, at, what, name, text, blocks, due, now)
  local id = 'amend:' .. channel .. ':' .. at
  if redis.call('EXISTS', key('outbox', id)) == 1 then
    return
  end
  redis.call('HSET', key('outbox', id), 'kind', 'amend', 'job', job, 'channel', channel, 'at', at, 'what', what,
    'name', name, 'lane', NEWS, 'text', text, 'blocks', blocks, 'plain', '0', 'created', whole(now))
  place(id, NEWS, due)
  wake()
end

local function forget(id)
  redis.call('DEL', key('outbox', id))
  redis.call('ZREM', OUTBOX, id)
end

local function fence_holds(id, fence)
  return redis.call('HGET', key('outbox', id), 'fence') == fence
end
