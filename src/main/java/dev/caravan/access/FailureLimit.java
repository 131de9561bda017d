package dev.caravan.access;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Counts failed logins by client address and by key prefix. A right credential is always taken: its
 * 256 bits cannot be guessed, and whoever shares an address with others must not shut them out.
 */
public final class FailureLimit {

  private static final int FAILURES = 10;
  private static final Duration WINDOW = Duration.ofMinutes(1);
  private static final int LOOK_UPS = 50;

  private final Cache<String, AtomicInteger> failures =
      Caffeine.newBuilder().expireAfterWrite(WINDOW).maximumSize(100_000).build();

  private final Cache<String, AtomicInteger> lookUps =
      Caffeine.newBuilder().expireAfterWrite(Duration.ofSeconds(1)).maximumSize(10_000).build();

  /**
   * Counts one more failure.
   *
   * @param address of the client
   * @param credential what it sent
   * @return seconds to wait when there were more than ten within a minute
   */
  public OptionalLong failed(String address, String credential) {
    List<String> names =
        ApiKey.parse(credential)
            .map(key -> List.of("address " + address, "prefix " + key.prefix()))
            .orElse(List.of("address " + address));
    return names.stream().mapToLong(this::wait).filter(seconds -> seconds > 0).max();
  }

  /**
   * Whether a credential that nobody here has seen is looked up for an address. Of one that failed
   * too often only so many are each second: a look-up costs a query, and who guesses guesses much.
   */
  public boolean mayLookUp(String address) {
    AtomicInteger count = failures.getIfPresent("address " + address);
    return count == null
        || count.get() <= FAILURES
        || lookUps.get(address, absent -> new AtomicInteger()).incrementAndGet() <= LOOK_UPS;
  }

  private long wait(String name) {
    int count = failures.get(name, absent -> new AtomicInteger()).incrementAndGet();
    if (count <= FAILURES) {
      return 0;
    }
    Duration age =
        failures.policy().expireAfterWrite().orElseThrow().ageOf(name).orElse(Duration.ZERO);
    return Math.max(1, WINDOW.minus(age).toSeconds());
  }
}
