package dev.caravan.torture;

/** What goes wrong, and how often among all that does. */
enum Fault {
  /** kill -9 of a node. */
  KILL(10),
  /** A node dies at one of the points K1 to K14, as by kill -9. */
  HALT_AT_POINT(20),
  /** A node is paused at one of the points, for half a lease to three leases. */
  PAUSE_AT_POINT(14),
  /** A node is paused anywhere, for half a lease to three leases. */
  PAUSE(16),
  /** A node is stopped in order. */
  STOP(4),
  /** PostgreSQL ends some of the nodes' sessions. */
  TERMINATE(16),
  /** The connections between a node and PostgreSQL break. */
  RESET(8),
  /** They go silent instead: nobody is told. */
  BLACK_HOLE(3),
  /** PostgreSQL answers a node late for some seconds. */
  SLOW(3),
  /** kill -9 of the postmaster. */
  POSTMASTER_KILLED(2),
  /** PostgreSQL is stopped without a checkpoint. */
  POSTGRES_STOPPED(2),
  /** The SFTP server is away for a moment. */
  SFTP_AWAY(2);

  private final int weight;

  Fault(int weight) {
    this.weight = weight;
  }

  /** True when it comes once the node passes the point, if it does. */
  boolean atPoint() {
    return this == HALT_AT_POINT || this == PAUSE_AT_POINT;
  }

  /**
   * One of them.
   *
   * @param part from 0 to 1, without 1
   */
  static Fault at(double part) {
    int total = 0;
    for (Fault fault : values()) {
      total += fault.weight;
    }
    double left = part * total;
    for (Fault fault : values()) {
      left -= fault.weight;
      if (left < 0) {
        return fault;
      }
    }
    throw new IllegalArgumentException(String.valueOf(part));
  }
}
