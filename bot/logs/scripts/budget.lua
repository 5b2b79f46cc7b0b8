-- May this vCenter be asked for a log now? A bucket of calls that fills by the clock, over the whole fleet.
-- ARGV: vcenter, calls a second, mode, ticket.
--   'hurry': a job or a diagnosis: always, but it counts.
--   'more': another page of a look that has begun: as long as we are not too far in debt.
--   'turn': a look for the watch: those who wait go in the order of their tickets (empty: one is drawn).
-- Returns the ms to wait (0: go) and the ticket.
local KEPT = 24 * 3600 * 1000
local DEBT = 30 -- seconds; what jobs took beyond the budget silences the watch no longer than this

local budget = key('log-budget', ARGV[1])
local rate, mode = tonumber(ARGV[2]), ARGV[3]
local burst = math.max(2, rate)
local now = now_ms()
local kept = redis.call('HMGET', budget, 'credit', 'at', 'drawn', 'served')
local drawn, served = tonumber(kept[3] or '0'), tonumber(kept[4] or '0')
local elapsed = math.max(0, now - tonumber(kept[2] or whole(now)))
local credit = math.min(burst, tonumber(kept[1] or '1') + rate * elapsed / 1000)

local function ms_until(more)
  return math.max(1, math.ceil(more / rate * 1000))
end

local wait, ticket = 0, tonumber(ARGV[4]) or 0
if mode == 'more' and credit <= -burst then
  wait = ms_until(1 - burst - credit)
elseif mode == 'turn' then
  if ticket == 0 then
    drawn = drawn + 1
    ticket = drawn
  end
  local before = math.max(0, ticket - served - 1)
  -- A full bucket: whoever should come before us does not come any more.
  if credit >= 1 and (before < math.floor(credit) or credit >= burst) then
    served = math.max(served, ticket)
  else
    wait = ms_until(before + 1 - credit)
  end
end
if wait == 0 then
  credit = math.max(credit - 1, -rate * DEBT)
end
redis.call('HSET', budget, 'credit', string.format('%.6f', credit), 'at', whole(now), 'drawn', whole(drawn),
  'served', whole(served))
redis.call('PEXPIRE', budget, KEPT)
return { wait, ticket }
