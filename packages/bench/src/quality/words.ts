/** What tasks are made of; examples in front of the questions use other words. */
export const NAMES = ["Maria", "Tom", "Anna", "Ben", "Lucy", "Sam", "Nora", "Max", "Paul", "Kate"];
export const THINGS = ["apples", "books", "coins", "pens", "cards", "shells", "stamps", "balls"];
export const CITIES = ["Paris", "Rome", "Oslo", "Madrid", "Berlin", "Lisbon", "Tokyo", "Delhi"];
export const JOBS = ["teacher", "nurse", "pilot", "baker", "painter", "driver", "lawyer", "cook"];
export const KINDS = [
  "fruits",
  "colours",
  "animals",
  "countries",
  "vegetables",
  "sports",
  "rivers",
  "trees",
  "cities",
  "birds",
];
export const WORDS = [
  "apple",
  "river",
  "stone",
  "cloud",
  "table",
  "garden",
  "window",
  "bread",
  "horse",
  "paper",
  "light",
  "bottle",
  "winter",
  "letter",
  "forest",
  "music",
  "candle",
  "bridge",
  "silver",
  "orange",
];
