package dev.caravan;

import java.io.PrintStream;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** What was started around the Camel context, and what the console is told of it. */
final class Started implements AutoCloseable {

  private final PrintStream out;
  private final Deque<AutoCloseable> parts = new ArrayDeque<>();
  private final List<String> addresses = new ArrayList<>();

  Started(PrintStream out) {
    this.out = out;
  }

  /** Is closed at the end, before what was started earlier. */
  synchronized <T extends AutoCloseable> T push(T part) {
    parts.push(part);
    return part;
  }

  /** Shown once everything runs. */
  void address(String what, String where) {
    addresses.add("%-11s %s".formatted(what, where));
  }

  /** The console of the program. */
  PrintStream out() {
    return out;
  }

  void showAddresses() {
    addresses.forEach(address -> out.println("  " + address));
    out.println();
  }

  @Override
  public synchronized void close() {
    while (!parts.isEmpty()) {
      try {
        parts.pop().close();
      } catch (Exception e) {
        System.err.println("While stopping: " + e);
      }
    }
  }
}
