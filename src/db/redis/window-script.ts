import type { Script } from './client.ts';

/*
 * The windows of `core/security/limits/window.ts`, kept in Redis. A window is one string of whole numbers: until when it
 * is blocked, then a time and a count for each entry, oldest first. Times are milliseconds of the server's clock, which
 * all replicas share, so that theirs need not agree. In Lua a large number must not become text by itself: it would be
 * written as 1.7e+12.
 */

const FORMAT = `
local function read(text)
  local blocked, times, counts, position = 0, {}, {}, 0
  for number in string.gmatch(text or '', '%d+') do
    if position == 0 then blocked = tonumber(number)
    elseif position % 2 == 1 then times[#times + 1] = tonumber(number)
    else counts[#counts + 1] = tonumber(number) end
    position = position + 1
  end
  return blocked, times, counts
end

local function write(key, blocked, times, counts, now, window)
  if #times == 0 and blocked <= now then
    redis.call('DEL', key)
    return
  end
  local parts = { string.format('%.0f', blocked) }
  for i = 1, #times do
    parts[#parts + 1] = string.format('%.0f', times[i])
    parts[#parts + 1] = string.format('%.0f', counts[i])
  end
  redis.call('SET', key, table.concat(parts, ' '), 'PX', string.format('%.0f', math.max(window, blocked - now)))
end

local function clock(given)
  if given ~= '' then return tonumber(given) end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
`;

/**
 * Counts one hit in each window, or in none. Arguments: the time or nothing, then for each window max, window, slot and
 * longest delay, in milliseconds. Answers the time, then for each window whether it has room, how many are left, and the
 * milliseconds until there is more.
 */
export const TAKE: Script = {
  name: 'okapiTake',
  text: `${FORMAT}
local now = clock(ARGV[1])
local windows = {}
local isAllowed = true
for i, key in ipairs(KEYS) do
  local at = i * 4 - 2
  local max, window, slot, longest = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local blocked, oldTimes, oldCounts = read(redis.call('GET', key))
  local times, counts, total = {}, {}, 0
  for j = 1, #oldTimes do
    if oldTimes[j] > now - window then
      times[#times + 1] = oldTimes[j]
      counts[#counts + 1] = oldCounts[j]
      total = total + oldCounts[j]
    end
  end
  local hasRoom = total < max
  if longest > 0 then hasRoom = blocked <= now end
  isAllowed = isAllowed and hasRoom
  windows[i] = { key = key, max = max, window = window, slot = slot, longest = longest, blocked = blocked,
    times = times, counts = counts, total = total, hasRoom = hasRoom }
end

local answer = { now }
for _, w in ipairs(windows) do
  if isAllowed then
    local last = #w.times
    if last > 0 and math.floor(w.times[last] / w.slot) == math.floor(now / w.slot) then
      w.times[last] = now
      w.counts[last] = w.counts[last] + 1
    else
      w.times[last + 1] = now
      w.counts[last + 1] = 1
    end
    w.total = w.total + 1
    if w.longest > 0 and w.total >= w.max then
      w.blocked = now + math.min(w.longest, 1000 * 2 ^ (w.total - w.max))
    end
    write(w.key, w.blocked, w.times, w.counts, now, w.window)
  end
  local reset = 0
  if w.blocked > now then
    reset = w.blocked - now
  else
    local left = w.total
    for j = 1, #w.times do
      left = left - w.counts[j]
      if left < w.max then
        reset = w.times[j] + w.window - now
        break
      end
    end
  end
  answer[#answer + 1] = w.hasRoom and 1 or 0
  answer[#answer + 1] = math.max(0, w.max - w.total)
  answer[#answer + 1] = reset
end
return answer
`,
};

/** Takes back a hit that one window counted. Arguments: the time or nothing, when it was counted, window and slot. */
export const GIVE_BACK: Script = {
  name: 'okapiGiveBack',
  text: `${FORMAT}
local now = clock(ARGV[1])
local at, window, slot = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local _, times, counts = read(redis.call('GET', KEYS[1]))
for i = #times, 1, -1 do
  if math.floor(times[i] / slot) == math.floor(at / slot) then
    counts[i] = counts[i] - 1
    if counts[i] == 0 then
      table.remove(times, i)
      table.remove(counts, i)
    end
    write(KEYS[1], 0, times, counts, now, window)
    return
  end
end
`,
};
