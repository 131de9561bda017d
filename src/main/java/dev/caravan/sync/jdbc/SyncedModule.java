package dev.caravan.sync.jdbc;

/**
 * A module of an inventory, as far as a sync needs it.
 *
 * @param id of the module
 * @param inventoryId whose module it is
 * @param typeId of its module type
 * @param type name of its module type, such as travel
 */
public record SyncedModule(int id, int inventoryId, int typeId, String type) {}
