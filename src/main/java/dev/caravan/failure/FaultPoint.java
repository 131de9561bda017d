package dev.caravan.failure;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Named places at which a proof lets the process die or stop. Without the system property {@code
 * caravan.fault} they do nothing.
 *
 * <p>{@code -Dcaravan.fault=K9:halt:3} acts when K9 is passed the third time; {@code halt} ends the
 * process as kill -9 does, {@code stop} sends it SIGSTOP, {@code throw} lets the work fail.
 *
 * <p>{@code -Dcaravan.fault.no-fence=true} takes both walls against double loads away: the proof
 * must then find doubles.
 */
public final class FaultPoint {

  private static final String PLAN = System.getProperty("caravan.fault");
  private static final boolean NO_FENCE = Boolean.getBoolean("caravan.fault.no-fence");
  private static final AtomicInteger PASSED = new AtomicInteger();

  private FaultPoint() {}

  /** True when attempts are to run without their fence, and loads without the id of their job. */
  public static boolean withoutFence() {
    return NO_FENCE;
  }

  /** The work is at this place. */
  public static void hit(String point) {
    if (PLAN == null) {
      return;
    }
    String[] plan = PLAN.split(":", -1);
    if (plan[0].equals(point)
        && PASSED.incrementAndGet() == (plan.length > 2 ? Integer.parseInt(plan[2]) : 1)) {
      act(point, plan[1]);
    }
  }

  private static void act(String point, String action) {
    System.err.println("FAULT " + point + " " + action);
    switch (action) {
      case "halt" -> Runtime.getRuntime().halt(137);
      case "stop" -> stop();
      default -> throw new IllegalStateException("fault at " + point);
    }
  }

  private static void stop() {
    try {
      new ProcessBuilder("kill", "-STOP", String.valueOf(ProcessHandle.current().pid()))
          .start()
          .waitFor();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
