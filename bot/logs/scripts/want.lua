-- Somebody reads this log from now on, or still does. ARGV: log, ms, 'open', 'resume' (the watch, which would go on where
-- it was) or 'stay', ms for which somebody is in a hurry (0: nobody here is).
-- Returns: stands?, blind, ms since blind, last id of the stream, ms by which our clock is ahead of the stream's ids,
-- whether there is a place to go on from, ms from one look to the next.
local RESUME_WITHIN = 15 * 60 * 1000

local function forget_place()
  if text('watched') ~= '' and text('next') ~= '' then
    redis.call('XADD', stream, '*', 'kind', 'gap', 'number', 0, 'at', whole(now),
      'text', 'nobody read this log for ' .. whole((now - number('wanted_until')) / 1000) .. ' s')
  end
  redis.call('HDEL', cursor, 'next', 'mark', 'near', 'blind', 'blind_at', 'until', 'every', 'watched')
end

-- Nobody has read it for a while: its old place may be hours back. The epoch stays, it must never fall.
if ARGV[5] == 'open' and number('wanted_until') < now then
  forget_place()
elseif ARGV[5] == 'resume' and number('wanted_until') + RESUME_WITHIN < now then
  forget_place()
end
local placed = text('next') ~= '' and 1 or 0
if ARGV[5] == 'resume' then
  redis.call('HSET', cursor, 'watched', 1)
end
redis.call('HSET', cursor, 'wanted_until', whole(math.max(number('wanted_until'), now + tonumber(ARGV[4]))))
if ARGV[6] ~= '0' then
  redis.call('HSET', cursor, 'hurry_until', whole(math.max(number('hurry_until'), now + tonumber(ARGV[6]))))
end
keep()

local stands = 0
if number('until') > now and (text('next') ~= '' or text('blind') ~= '') then
  stands = 1
end
local last = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)
local skew = tonumber(redis.call('GET', key('clock-skew')) or '0')
return {
  stands, text('blind'), whole(now - number('blind_at')), last[1] and last[1][1] or '0-0', whole(skew),
  placed, whole(number('every')),
}
