package dev.caravan.outbox;

import java.util.UUID;

/** Carries out the effects of one kind; any number of threads use it at the same time. */
public interface EffectHandler {

  /**
   * Tries once, for seconds at the most: a node that stops waits for it.
   *
   * @param id the same in each attempt; an attempt may come again although the one before it had
   *     its effect, because the node died before it could note so
   * @param payload JSON as it was added, its keys in any order
   * @return how it ended; an exception counts as {@link Outcome#retry}
   * @throws InterruptedException when this node stops; another one tries again at once
   */
  Outcome run(UUID id, String payload) throws InterruptedException;

  /** The pauses after attempts that are to be made again. */
  RetrySchedule retries();
}
