-- Is it time to compare our cards in Slack with what is known here, and may the bot `token` do it?
-- Answers {pulse, mine, upto}. `pulse` is a mark that only grows: one that is gone, or less than the asking bot saw
-- before (`seen`), was lost with everything else, or came back older. Then it is time, once `settle` has passed, in which
-- workers take up again what runs. A bot that starts (`first`) is a reason too, unless it was done within `fresh`.

local token, seen, first, settle, fresh, lease, longest = unpack(ARGV)
local census = key('census')
local now = now_ms()
local pulse, done, due, leased, upto = unpack(redis.call('HMGET', census, 'pulse', 'done', 'due', 'leased', 'upto'))
pulse = tonumber(pulse or '-1')

local lost = pulse < 0 or pulse < tonumber(seen)
local stale = first == '1' and done and tonumber(done) + tonumber(fresh) <= now
if lost or stale then
  done, due, leased, upto = false, now + tonumber(settle), false, false
  redis.call('HDEL', census, 'done', 'owner', 'leased', 'upto')
  redis.call('HSET', census, 'due', whole(due))
end
pulse = math.max(pulse, tonumber(seen), now)
redis.call('HSET', census, 'pulse', whole(pulse))

-- A moment further away than it can be was written by a clock that went ahead of this one.
local function ahead(moment, most)
  local wait = tonumber(moment or '0') - now
  return wait > 0 and wait <= tonumber(most)
end

if done or ahead(due, settle) or ahead(leased, longest) then
  return { whole(pulse), 0, '' }
end
redis.call('HSET', census, 'owner', token, 'leased', whole(now + tonumber(lease)))
return { whole(pulse), 1, upto or '' }
