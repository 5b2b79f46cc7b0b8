-- Shared by the outbox's scripts.
--
-- `outbox` orders records by lane and then by the ms they are due. A record that somebody works on stays in its lane,
-- due when the lease ends: a drainer that died needs no sweeper.

local FINAL, NEWS, PROGRESS = 0, 1, 2
local LANE = 1e13
local OUTBOX = key('outbox')
local PACE = key('outbox', 'pace')

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

-- Replies of a job go out one after the other: only the first of its list is in `outbox`.
local function offer_reply(job, now)
  local id = redis.call('LINDEX', key('outbox', 'replies', job), 0)
  if id and not redis.call('ZSCORE', OUTBOX, id) then
    local lane = redis.call('HGET', key('outbox', id), 'lane') or NEWS
    place(id, tonumber(lane), now)
    wake()
  end
end

local function forget(id)
  redis.call('DEL', key('outbox', id))
  redis.call('ZREM', OUTBOX, id)
end

local function fence_holds(id, fence)
  return redis.call('HGET', key('outbox', id), 'fence') == fence
end
