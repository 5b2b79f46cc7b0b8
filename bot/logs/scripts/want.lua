-- Somebody reads this log from now on, or still does. ARGV: log, ms, 'open' or 'stay'.
-- Returns: stands?, blind, ms since blind, last id of the stream, ms by which our clock is ahead of the stream's ids.
if ARGV[5] == 'open' and number('wanted_until') < now then
  -- Nobody has read it for a while: its old place may be hours back. The epoch stays, it must never fall.
  redis.call('HDEL', cursor, 'next', 'mark', 'near', 'blind', 'blind_at', 'until')
end
local wanted = math.max(number('wanted_until'), now + tonumber(ARGV[4]))
redis.call('HSET', cursor, 'wanted_until', whole(wanted))
keep()

local stands = 0
if number('until') > now and (text('next') ~= '' or text('blind') ~= '') then
  stands = 1
end
local last = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)
local skew = tonumber(redis.call('GET', key('clock-skew')) or '0')
return { stands, text('blind'), whole(now - number('blind_at')), last[1] and last[1][1] or '0-0', whole(skew) }
