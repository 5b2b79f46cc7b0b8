-- Prepended to every script of ours: key names, the one clock, small conversions.

local PREFIX = '{cm}:'

local function key(...)
  return PREFIX .. table.concat({ ... }, ':')
end

-- In a cluster that moves our slot key by key, a key that is not here is thought to be there already, and a script that
-- meets one halfway is stopped halfway. So each asks first for one that never is: then none of it is done.
redis.call('EXISTS', PREFIX .. 'nothing')

-- The only clock that decides anything. Tests move it by a key; durations come in as arguments.
local function now_ms()
  local time = redis.call('TIME')
  local skew = tonumber(redis.call('GET', key('clock-skew')) or '0')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + skew
end

-- Lua prints large numbers with 14 digits only; a score may have 15.
local function whole(number)
  return string.format('%.0f', number)
end
