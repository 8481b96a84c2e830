"""What a page must have for those who do not use a mouse or see well: names, contrast, an order."""

CONTROLS = {"button", "link", "textbox", "checkbox", "radio", "slider", "combobox", "DisclosureTriangle", "spinbutton"}

CONTRAST = """
() => {
    const parse = (text) => {
        const parts = text.match(/[\\d.]+/g)?.map(Number) ?? [0, 0, 0, 0];
        return { rgb: parts.slice(0, 3), alpha: parts.length > 3 ? parts[3] : 1 };
    };
    const over = (top, alpha, under) => top.map((value, index) => value * alpha + under[index] * (1 - alpha));
    const luminance = (rgb) => {
        const [r, g, b] = rgb.map((value) => value / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (element) => {
        if (element === null) return [255, 255, 255];
        const { rgb, alpha } = parse(getComputedStyle(element).backgroundColor);
        return alpha === 1 ? rgb : over(rgb, alpha, ground(element.parentElement));
    };
    const faults = [];
    const measure = (element, text) => {
        if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) return;
        if (element.closest(".unseen") || element.matches(":disabled")) return;
        const style = getComputedStyle(element);
        const under = ground(element);
        const { rgb, alpha } = parse(element instanceof SVGElement ? style.fill : style.color);
        let opacity = alpha;
        for (let node = element; node; node = node.parentElement) opacity *= Number(getComputedStyle(node).opacity);
        const [light, dark] = [luminance(over(rgb, opacity, under)), luminance(under)].sort((a, b) => b - a);
        const ratio = (light + 0.05) / (dark + 0.05);
        if (ratio < 4.5) faults.push(`${ratio.toFixed(2)}: ${text.trim().slice(0, 40)}`);
    };
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) if (texts.currentNode.data.trim()) measure(texts.currentNode.parentElement, texts.currentNode.data);
    for (const input of document.querySelectorAll("input")) if (input.value) measure(input, input.value);
    return faults;
}
"""

# Every control that is to be seen, numbered in the order of the document; of radio buttons the one that is chosen.
NUMBER = """
() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")]
    .filter((node) => node.checkVisibility() && !node.disabled && !(node.type === "radio" && !node.checked))
    .map((node, index) => { node.dataset.turn = index; return node.outerHTML.slice(0, 120); })
"""

FOCUSED = """
() => {
    const node = document.activeElement;
    const shown = node.type === "radio" ? node.nextElementSibling : node;
    const style = getComputedStyle(shown);
    const box = shown.getBoundingClientRect();
    return {
        turn: node.dataset.turn === undefined ? null : Number(node.dataset.turn),
        isMarked: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
        isInView: box.width > 0 && box.bottom > 0 && box.top < innerHeight,
    };
}
"""


def nameless_controls(page):
    """Controls for which the browser itself computes no accessible name."""
    devtools = page.context.new_cdp_session(page)
    nodes = devtools.send("Accessibility.getFullAXTree")["nodes"]
    devtools.detach()
    controls = [node for node in nodes if not node["ignored"] and node.get("role", {}).get("value") in CONTROLS]
    assert controls, "the page has no controls"
    return [node["role"]["value"] for node in controls if not node.get("name", {}).get("value", "").strip()]


def contrast_faults(page):
    """Texts whose contrast to their ground is under 4.5 to 1 (WCAG 2.2, 1.4.3)."""
    return page.evaluate(CONTRAST)


def too_wide(page):
    """What would make a reader scroll sideways (WCAG 2.2, 1.4.10)."""
    return page.evaluate("""
        document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("body *")]
            .filter((node) => node.getBoundingClientRect().right > innerWidth).map((node) => node.outerHTML.slice(0, 160))""")


def walk_by_tab(page, what):
    """Tab must come to every control, in the order of the document, each time with a mark that can be seen."""
    controls = page.evaluate(NUMBER)
    page.evaluate("document.activeElement.blur(), getSelection().removeAllRanges(), scrollTo(0, 0)")
    page.locator("h1 >> visible=true").first.click()
    seen = []
    for _ in controls:
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        assert focused["turn"] is not None, f"{what}: Tab after {controls[seen[-1]] if seen else 'nothing'} goes nowhere"
        assert focused["isMarked"] and focused["isInView"], f"{what}: focus cannot be seen on {controls[focused['turn']]}"
        seen.append(focused["turn"])
    assert seen == list(range(len(controls))), f"{what}: {[controls[turn] for turn in range(len(controls)) if turn not in seen]} {seen}"
