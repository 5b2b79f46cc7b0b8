-- The bot `token` goes on for another lease, or rests for as long; `upto`: the channel that it is done with; `done`: all
-- are. 0: somebody else is at it, or it begins anew.

local token, lease, upto, done = unpack(ARGV)
local census = key('census')
if redis.call('HGET', census, 'owner') ~= token then
  return 0
end
if done == '1' then
  redis.call('HDEL', census, 'owner', 'leased', 'upto', 'due')
  redis.call('HSET', census, 'done', whole(now_ms()))
  return 1
end
redis.call('HSET', census, 'leased', whole(now_ms() + tonumber(lease)))
if upto ~= '' then
  redis.call('HSET', census, 'upto', upto)
end
return 1
