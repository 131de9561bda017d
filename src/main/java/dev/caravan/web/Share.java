package dev.caravan.web;

import java.util.HashMap;
import java.util.Map;

/** So many of something at the same time for one tenant, and so many for all. */
final class Share {

  private final int ofTenant;
  private final int ofAll;
  private final Map<String, Integer> taken = new HashMap<>();
  private int all;

  Share(int ofTenant, int ofAll) {
    this.ofTenant = ofTenant;
    this.ofAll = ofAll;
  }

  /** Takes one; false when there is none left for the tenant. */
  synchronized boolean take(String tenant) {
    if (all == ofAll || taken.getOrDefault(tenant, 0) == ofTenant) {
      return false;
    }
    all++;
    taken.merge(tenant, 1, Integer::sum);
    return true;
  }

  /** Gives one back that was taken. */
  synchronized void give(String tenant) {
    all--;
    taken.computeIfPresent(tenant, (name, count) -> count == 1 ? null : count - 1);
  }
}
