-- How many ms from now something is due for a sink; -1: nothing is.

local first = redis.call('ZRANGE', key('escalations', ARGV[1]), 0, 0, 'WITHSCORES')
if #first == 0 then
  return -1
end
return whole(math.max(0, tonumber(first[2]) - now_ms()))
