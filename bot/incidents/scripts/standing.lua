-- How an incident stands, and in which of the two indices it is therefore. Before it: KEPT, SHOWN (ms).
local LIVE, ENDED = key('incidents'), key('incidents', 'ended')

-- Put it where its state belongs. What was resolved is shown for a while; what went up in another one only if it has a
-- message, which has to say so.
local function file(id, record, state, opened, at)
  if state == 'open' or state == 'acknowledged' then
    redis.call('ZADD', LIVE, opened, id)
    redis.call('ZREM', ENDED, id)
    redis.call('PERSIST', record)
    return
  end
  if state == 'resolved' or redis.call('HEXISTS', record, 'channel') == 1 then
    redis.call('ZADD', LIVE, opened, id)
  else
    redis.call('ZREM', LIVE, id)
  end
  redis.call('ZADD', ENDED, at, id)
  redis.call('PEXPIRE', record, KEPT)
end

-- The hashes of these incidents; those that are gone are left out, and forgotten.
local function records(ids)
  local found = {}
  for _, id in ipairs(ids) do
    local fields = redis.call('HGETALL', key('incident', id))
    if #fields > 0 then
      found[#found + 1] = fields
    else
      redis.call('ZREM', LIVE, id)
      redis.call('ZREM', ENDED, id)
    end
  end
  return found
end
