package dev.caravan.copyupsert;

import dev.caravan.pgload.Fence;
import dev.caravan.pgload.LoadProgress;
import dev.caravan.pgload.LoadResult;
import dev.caravan.pgload.TableName;
import java.util.Optional;
import java.util.UUID;
import org.apache.camel.Message;

/**
 * Keeps a record of the loads of an exchange that has it as its property {@link #PROPERTY}. It says
 * which load each is, and is told how it ended. Loads side by side call it from their own threads.
 */
public interface LoadJournal {

  /** Name of the exchange's property. */
  String PROPERTY = "CamelCopyUpsertJournal";

  /** A load that has begun. */
  interface Entry {

    /** The load's id in the ledger. */
    UUID id();

    /** The attempt that it belongs to; empty when nobody else can be at the same load. */
    Optional<Fence> fence();

    /** Is told how far it is. */
    LoadProgress progress();

    /** What it did, when it is on record that it is committed; then it is not done again. */
    Optional<LoadResult> before();

    /** It is committed. */
    void loaded(LoadResult result);

    /** Nothing of it is in the target. */
    void failed(Exception cause);
  }

  /**
   * A load is about to ask for its records.
   *
   * @param message describes it by its headers
   * @throws dev.caravan.failure.CaravanException when it must not begin
   */
  Entry begin(Message message, TableName target);
}
