"use strict";
document.documentElement.classList.add("scripted");

for (const compare of document.querySelectorAll(".compare")) {
  const layers = compare.querySelectorAll(".layer");
  const range = compare.querySelector("input[type=range]");
  const move = () => compare.style.setProperty("--cut", range.value + "%");
  range.addEventListener("input", move);
  move(); // a browser may have kept the position of the last visit

  for (const select of compare.querySelectorAll("select")) {
    const side = select.dataset.side;
    const choose = () => {
      layers.forEach((layer, index) => layer.classList.toggle(side, index === select.selectedIndex));
      compare.querySelector(".tag." + side).textContent = select.selectedOptions[0].text;
    };
    select.addEventListener("change", choose);
    choose();
  }
}

// Paper has no folds.
const opened = [];
window.addEventListener("beforeprint", () => {
  for (const fold of document.querySelectorAll("details.recipe:not([open])")) {
    fold.open = true;
    opened.push(fold);
  }
});
window.addEventListener("afterprint", () => {
  for (const fold of opened.splice(0)) fold.open = false;
});
