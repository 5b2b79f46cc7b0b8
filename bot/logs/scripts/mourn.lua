-- Watchers that gave no sign for a while are gone: of each host whose syslog they heard, lines may be missing. Whoever
-- asks first tells it. ARGV: ms without a sign, ms that a line may have been with them unseen, how the gap begins.
-- Returns how many gaps were told.
local now = now_ms()
local told = 0

local function clock(ms)
  local day = math.floor(ms / 1000) % 86400
  return string.format('%02d:%02d:%02d', math.floor(day / 3600), math.floor(day / 60) % 60, day % 60)
end

local gone = redis.call('ZRANGEBYSCORE', key('watchers'), '-inf', '(' .. whole(now - tonumber(ARGV[1])), 'WITHSCORES')
for at = 1, #gone, 2 do
  local tally = key('watch', gone[at])
  local reason = ARGV[3] .. ' lines between ' .. clock(tonumber(gone[at + 1]) - tonumber(ARGV[2])) .. ' and '
    .. clock(now) .. ' UTC may be missing'
  local hosts = redis.call('HGETALL', tally)
  for one = 1, #hosts, 2 do
    if cjson.decode(hosts[one + 1])[1] == 'syslog' then
      add(hosts[one], 'syslog', 'syslog', cjson.encode({ { reason } }))
      told = told + 1
    end
  end
  redis.call('ZREM', key('watchers'), gone[at])
  redis.call('DEL', tally)
end
return told
